"""Calls through an integration, over a real socket: answers, retries, fallbacks, breaker."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from authz.configuration.revision import move_revision
from authz.models import Project
from integrations.connections.services import update_integration
from integrations.http import client
from integrations.models import Integration
from intmod_site.api.errors import ValidationFailed
from registry.inference import candidates
from registry.models import InferenceRecord, ModelVersion
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR, MembershipFactory, api_key_for
from tests.factories.integrations import IntegrationFactory
from tests.registry.conftest import Register
from tests.registry.inference.upstream_server import (
    Reply,
    Upstream,
    refusal,
    serving_upstream,
)

KEY = "sk-upstream-secret-1234"
BODY = {"model": "remote", "prompt": "Hi", "max_tokens": 20}
PRICES = {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    candidates._breaker.cache_clear()
    with serving_upstream() as upstream:
        yield upstream
    client._client.close()


@pytest.fixture
def integration(project: Project, upstream: Upstream) -> Integration:
    return IntegrationFactory(
        project=project,
        base_url=upstream.base_url,
        api_key=KEY,
        headers={"X-Team": "search"},
        retry_delay_s=0.01,
        max_retries=2,
    )


@pytest.fixture
def remote(register: Register, integration: Integration) -> ModelVersion:
    return register(
        "remote",
        provider="openai",
        provider_model="upstream-model",
        integration=integration,
        tasks=["generate", "chat"],
        prices=PRICES,
    )


@pytest.fixture
def api(project: Project, remote: ModelVersion) -> ApiClient:
    return ApiClient(api_key_for(MembershipFactory(project=project, role_name="developer")))


def test_an_answer_from_elsewhere_is_an_answer_like_any_other(
    api: ApiClient, upstream: Upstream
) -> None:
    answer = api.ok("POST", "ai/generate", BODY, X_Request_Id="trace-12345678")
    assert answer["result"] == "Hello from upstream."
    assert answer["usage"] == {"input_tokens": 9, "output_tokens": 4}
    assert Decimal(answer["cost_usd"]) == Decimal("0.000017")
    (asked,), (headers,) = upstream.asked, upstream.headers
    assert asked["model"] == "upstream-model"
    assert asked["messages"] == [{"role": "user", "content": "Hi"}]
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["x-team"] == "search"
    assert headers["x-request-id"] == "trace-12345678"
    record = InferenceRecord.objects.get()
    assert (record.provider, record.input_tokens, record.status) == ("openai", 9, 200)


@pytest.mark.parametrize(
    "first", [Reply(500, {}), Reply(503, {}), Reply(0)], ids=["500", "503", "cut"]
)
def test_what_passes_is_tried_again_and_billed_once(
    api: ApiClient, upstream: Upstream, first: Reply
) -> None:
    upstream.script = [first]
    assert api.ok("POST", "ai/generate", BODY)["usage"]["input_tokens"] == 9
    assert len(upstream.asked) == 2
    assert InferenceRecord.objects.get().input_tokens == 9


def test_a_persistent_limit_is_a_429_with_its_wait(api: ApiClient, upstream: Upstream) -> None:
    upstream.script = [refusal(429, "slow down", Retry_After="3600")]
    envelope = api.refused(429, "POST", "ai/generate", BODY)
    assert envelope["error_details"]["code"] == "upstream_rate_limited"
    assert envelope["error_details"]["retry_after_s"] == 3600
    assert len(upstream.asked) == 1


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (refusal(400, "bad parameter"), 400, "upstream_bad_request"),
        (refusal(400, "too long", "context_length_exceeded"), 400, "context_length_exceeded"),
        (refusal(401, f"Incorrect API key provided: {KEY}"), 502, "upstream_auth_failed"),
        (Reply(200, {"what": "is this"}), 502, "upstream_malformed"),
    ],
)
def test_what_would_fail_again_is_not_tried_again(
    api: ApiClient, upstream: Upstream, reply: Reply, status: int, code: str
) -> None:
    upstream.script = [reply]
    envelope = api.refused(status, "POST", "ai/generate", BODY)
    assert envelope["error_details"]["code"] == code
    assert KEY not in str(envelope)
    assert len(upstream.asked) == 1
    record = InferenceRecord.objects.get()
    assert (record.status, record.error_code, record.input_tokens) == (status, code, 0)


def test_a_fallback_answers_under_its_own_name(
    api: ApiClient, upstream: Upstream, register: Register, integration: Integration
) -> None:
    fields = {"provider": "openai", "integration": integration, "tasks": ["generate"]}
    register("spare", provider_model="spare-model", **fields)
    edges = [{"model": "gone"}, {"model": "spare", "on": ["error"]}]
    register("main", provider_model="main-model", fallbacks=edges, **fields)
    upstream.script = [refusal(401, "no")]
    answer = api.ok("POST", "ai/generate", {**BODY, "model": "main"})
    assert answer["model"] == "spare"
    assert [asked["model"] for asked in upstream.asked] == ["main-model", "spare-model"]
    assert InferenceRecord.objects.get().model == "spare"


def test_a_failing_provider_is_left_alone_for_a_while(api: ApiClient, upstream: Upstream) -> None:
    upstream.script = [Reply(500, {}) for _ in range(20)]
    while len(upstream.asked) < 5:
        api.refused(502, "POST", "ai/generate", BODY)
    envelope = api.refused(503, "POST", "ai/generate", BODY)
    assert envelope["error_details"]["code"] == "circuit_open"
    assert envelope["error_details"]["retry_after_s"] > 0
    assert len(upstream.asked) == 5


def test_a_provider_that_is_not_there_is_a_502(
    api: ApiClient, integration: Integration, upstream: Upstream
) -> None:
    with transaction.atomic():
        Integration.objects.update(base_url="http://127.0.0.1:9/v1", max_retries=0)
        move_revision()
    envelope = api.refused(502, "POST", "ai/generate", BODY)
    assert envelope["error_details"]["code"] == "upstream_unreachable"


def test_a_callable_remote_version_names_its_integration(register: Register) -> None:
    with pytest.raises(ValidationFailed, match="through an integration"):
        register("lonely", provider="openai", provider_model="x", tasks=["chat"])
    assert register("catalogued", provider="openai", provider_model="x", tasks=[]).number == 1


def test_an_integration_that_is_switched_off_is_not_called(
    api: ApiClient, integration: Integration, upstream: Upstream
) -> None:
    update_integration(actor=ACTOR, integration=integration, changes={"is_active": False})
    api.refused(409, "POST", "ai/generate", BODY)
    assert not upstream.asked


def test_a_key_that_cannot_be_read_is_a_503_and_on_record(
    api: ApiClient, upstream: Upstream, settings: Any
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = {"k2": "n" * 48}
    details = api.refused(503, "POST", "ai/generate", BODY)["error_details"]
    assert details["code"] == "secret_unreadable"
    assert upstream.asked == []
    assert InferenceRecord.objects.get().error_code == "secret_unreadable"
