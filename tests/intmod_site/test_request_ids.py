"""One id leads from the answer to the log line and the audit event."""

import json

import pytest

from authz.models import AuditEvent
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
