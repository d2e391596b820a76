"""One id leads from the answer to the log line and the audit event."""

import json
import logging
from typing import Any

import pytest

from authz.models import AuditEvent
from intmod_site.logs import JSONFormatter
from intmod_site.request_context import choose_request_id
from tests.api_client import ApiClient


def test_a_safe_id_is_taken_over(api: ApiClient) -> None:
    response = api.call("GET", "auth/me", X_Request_Id="trace-12345678")
    assert response.headers["X-Request-Id"] == "trace-12345678"
    assert json.loads(response.content)["request_id"] == "trace-12345678"


@pytest.mark.parametrize(
    "offered", [None, "", "short", "a" * 129, "with space", "<script>1234", "é" * 10]
)
def test_any_other_is_replaced(offered: str | None) -> None:
    made = choose_request_id(offered)
    assert made != offered
    assert len(made) == 32


def test_an_audit_event_carries_it(api: ApiClient) -> None:
    body = {"name": "m", "model_type": "llm"}
    response = api.call("POST", "registry/models", body, X_Request_Id="trace-12345678")
    assert response.status_code == 201
    event = AuditEvent.objects.get(action="registeredmodel.create")
    assert event.request_id == "trace-12345678"


def test_a_request_is_one_log_line(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="intmod.request"):
        api.call("GET", "registry/models/none")
    (record,) = [record for record in caplog.records if record.name == "intmod.request"]
    line: dict[str, Any] = json.loads(JSONFormatter().format(record))
    assert {name: line[name] for name in ("method", "route", "status", "principal", "project")} == {
        "method": "GET",
        "route": "/api/v1/registry/models/<str:name>",
        "status": 404,
        "principal": "ada",
        "project": "shop",
    }
    assert line["duration_ms"] >= 0
    assert line["error_code"] == "not_found"


def test_no_log_line_carries_what_was_sent(
    api: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    canary = "canary-7f3a"
    with caplog.at_level(logging.DEBUG):
        api.call("POST", "ai/generate", {"prompt": canary, "model": "m"})
        api.call("POST", "auth/token", {"username": "ada", "password": canary})
        api.call("GET", f"registry/models?model_type={canary}")
        ApiClient(canary).call("GET", "auth/me")
    lines = [JSONFormatter().format(record) for record in caplog.records]
    assert lines
    assert not [line for line in lines if canary in line or (api.credential or "") in line]
