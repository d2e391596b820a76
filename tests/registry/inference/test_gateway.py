"""The call path: what it answers, and what it leaves on record."""

from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.http import HttpResponse

from authz.identity.principal import Principal
from intmod_site.api.errors import (
    ApiError,
    InternalError,
    NotFound,
    ServiceUnavailable,
    ValidationFailed,
)
from registry.inference.calls import Call, Result
from registry.inference.endpoints import ENDPOINTS
from registry.inference.endpoints.serving import serve
from registry.models import InferenceRecord
from tests.registry.conftest import Register
from tests.registry.inference.scripted_provider import ScriptedProvider

PRICES = {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}


def ask(principal: Principal, **body: Any) -> dict[str, Any]:
    whole = {"prompt": "Hi", **body}
    response = serve(principal=principal, endpoint=ENDPOINTS["generate"], body=whole)
    assert isinstance(response, HttpResponse)
    data: dict[str, Any] = orjson.loads(response.content)["data"]
    return data | {"cost_usd": Decimal(data["cost_usd"])} if data["cost_usd"] else data


def away(call: Call) -> Result:
    raise ServiceUnavailable("The model is away.", code="model_away")


def broken(call: Call) -> Result:
    raise RuntimeError("a bug, with sk-secret in its message")


def test_the_answer_says_who_answered_and_what_it_took(
    principal: Principal, register: Register, provider: ScriptedProvider
) -> None:
    register(prices=PRICES)
    data = ask(principal, model="smol")
    latency_ms = data.pop("latency_ms")
    assert latency_ms >= 0
    assert data == {
        "result": "Hello.",
        "model": "smol",
        "model_id": "smol-1",
        "version": 1,
        "provider": "local",
        "finish_reason": "stop",
        "usage": {"input_tokens": 3, "output_tokens": 2},
        "cost_usd": Decimal("0.000007"),
    }


def test_a_call_leaves_one_row(
    principal: Principal, register: Register, provider: ScriptedProvider
) -> None:
    version = register(prices=PRICES)
    ask(principal, model="smol")
    record = InferenceRecord.objects.get()
    assert (record.project_id, record.user_id, record.user_label) == (
        principal.project_id,
        principal.user_id,
        "ada",
    )
    assert (record.version_id, record.model, record.version) == (version.pk, "smol", 1)
    assert (record.task, record.status, record.error_code) == ("generate", 200, "")
    assert (record.input_tokens, record.output_tokens) == (3, 2)
    assert record.cost_usd == Decimal("0.000007")
    assert record.credential == principal.credential
    assert record.latency_ms > 0


@pytest.mark.parametrize(
    ("answer", "raised", "status", "code"),
    [(away, ServiceUnavailable, 503, "model_away"), (broken, InternalError, 500, "internal_error")],
)
def test_a_failed_call_is_on_record_and_costs_nothing(
    principal: Principal,
    register: Register,
    provider: ScriptedProvider,
    answer: Any,
    raised: type[Exception],
    status: int,
    code: str,
) -> None:
    register(prices=PRICES)
    provider.answer = answer
    with pytest.raises(raised):
        ask(principal, model="smol")
    record = InferenceRecord.objects.get()
    assert (record.status, record.error_code) == (status, code)
    assert (record.input_tokens, record.cost_usd) == (0, 0)


@pytest.mark.parametrize(
    ("body", "raised"),
    [({"model": "none"}, NotFound), ({"model": "smol", "x": 1}, ValidationFailed)],
)
def test_what_reaches_no_version_is_on_record_without_one(
    principal: Principal,
    register: Register,
    provider: ScriptedProvider,
    body: dict[str, Any],
    raised: type[ApiError],
) -> None:
    register()
    with pytest.raises(raised):
        ask(principal, **body)
    assert not provider.calls
    record = InferenceRecord.objects.get()
    assert (record.version_id, record.model, record.status) == (None, body["model"], raised.status)


def test_a_limit_is_checked_before_the_provider_is_asked(
    principal: Principal, register: Register, provider: ScriptedProvider
) -> None:
    register(limits={"max_tokens": 10})
    with pytest.raises(ValidationFailed, match="at most 10"):
        ask(principal, model="smol", max_tokens=11)
    assert not provider.calls
    assert InferenceRecord.objects.get().status == 400


def test_texts_are_kept_only_where_the_version_says_so_and_redacted(
    principal: Principal, register: Register, provider: ScriptedProvider
) -> None:
    register("silent")
    register("keeping", body_logging="redacted")
    for model in ("silent", "keeping"):
        ask(principal, model=model, prompt="Mail ada@example.com about it.")
    silent, keeping = InferenceRecord.objects.order_by("id")
    assert (silent.request_text, silent.answer_text) == (None, None)
    assert "[email]" in (keeping.request_text or "")
    assert "ada@example.com" not in (keeping.request_text or "")
    assert keeping.answer_text == '"Hello."'
