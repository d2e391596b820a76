"""A request that is sent twice under one Idempotency-Key is carried out once."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from authz.models import IdempotencyRecord
from registry.inference.calls import Call, Result
from registry.models import InferenceRecord, RegisteredModel
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.factories.registry import ModelVersionFactory
from tests.registry.inference.scripted_provider import hello, scripted

BODY = {"name": "m", "model_type": "llm"}


def create(api: ApiClient, key: str = "key-1", body: Any = None) -> Any:
    return api.call("POST", "registry/models", body or BODY, Idempotency_Key=key)


def test_the_first_answer_is_given_again(api: ApiClient) -> None:
    first, second = create(api), create(api)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["Idempotent-Replayed"] == "true"
    assert RegisteredModel.objects.count() == 1


def test_a_refusal_is_given_again_too(api: ApiClient) -> None:
    for _ in range(2):
        assert create(api, body={"name": "a/b", "model_type": "llm"}).status_code == 400
    assert IdempotencyRecord.objects.get().status == 400


def test_a_kept_answer_cannot_be_read_in_the_table(api: ApiClient) -> None:
    first = api.call("POST", "auth/api-keys", {"name": "ci"}, Idempotency_Key="key-1")
    kept = bytes(IdempotencyRecord.objects.get().body or b"")
    assert json.loads(first.content)["data"]["key"].encode() not in kept
    assert b"success" not in kept
    again = api.call("POST", "auth/api-keys", {"name": "ci"}, Idempotency_Key="key-1")
    assert again.content == first.content


def test_a_copied_answer_is_not_given(api: ApiClient) -> None:
    create(api)
    create(api, key="key-2", body={"name": "other", "model_type": "llm"})
    stolen = IdempotencyRecord.objects.get(key="key-1").body
    IdempotencyRecord.objects.filter(key="key-2").update(body=stolen)
    response = create(api, key="key-2", body={"name": "other", "model_type": "llm"})
    assert response.status_code == 503
    assert json.loads(response.content)["error_details"]["code"] == "secret_unreadable"


def test_another_body_is_a_422(api: ApiClient) -> None:
    create(api)
    response = create(api, body={**BODY, "name": "other"})
    assert response.status_code == 422
    assert RegisteredModel.objects.count() == 1


def test_keys_of_others_do_not_collide(api: ApiClient) -> None:
    create(api)
    other = ApiClient(api_key_for(MembershipFactory()))
    assert create(other).status_code == 201
    assert RegisteredModel.objects.count() == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "é"])
def test_odd_keys_are_refused(api: ApiClient, key: str) -> None:
    assert create(api, key=key).status_code == 400


def test_after_a_day_a_key_is_new(api: ApiClient) -> None:
    create(api)
    IdempotencyRecord.objects.update(expires_at=timezone.now())
    assert create(api).status_code == 409, "the model's name is taken by now"


def test_a_claim_of_a_dead_process_is_taken_over(api: ApiClient) -> None:
    create(api)
    RegisteredModel.objects.all().delete()
    IdempotencyRecord.objects.update(
        status=None, locked_until=timezone.now() + timedelta(minutes=1)
    )
    assert create(api).status_code == 409
    IdempotencyRecord.objects.update(locked_until=timezone.now())
    assert create(api).status_code == 201


def test_our_own_faults_can_be_tried_again(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**kwargs: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("registry.catalog.services.create_model", fail)
        assert create(api).status_code == 500
    assert create(api).status_code == 201


def test_it_holds_on_calls_of_models_too(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    version = ModelVersionFactory(model__project__slug="x")
    api = ApiClient(api_key_for(MembershipFactory(project=version.project)))
    body = {"model": version.identifier, "prompt": "Hi"}
    with scripted(monkeypatch) as provider:
        first = api.call("POST", "ai/generate", body, Idempotency_Key="k")
        second = api.call("POST", "ai/generate", body, Idempotency_Key="k")
    assert first.status_code == 200
    assert second.content == first.content
    assert len(provider.calls) == InferenceRecord.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_request_in_flight_is_a_409(monkeypatch: pytest.MonkeyPatch) -> None:
    version = ModelVersionFactory()
    credential = api_key_for(MembershipFactory(project=version.project))
    asked, go_on = threading.Event(), threading.Event()
    statuses: list[int] = []

    def wait(call: Call) -> Result:
        asked.set()
        assert go_on.wait(20)
        return hello(call)

    def ask() -> None:
        body = {"model": version.identifier, "prompt": "Hi"}
        response = ApiClient(credential).call("POST", "ai/generate", body, Idempotency_Key="k")
        statuses.append(response.status_code)
        connections.close_all()

    with scripted(monkeypatch) as provider:
        provider.answer = wait
        first = threading.Thread(target=ask)
        first.start()
        assert asked.wait(20)
        ask()
        go_on.set()
        first.join()
    assert statuses == [409, 200]
    assert len(provider.calls) == 1
