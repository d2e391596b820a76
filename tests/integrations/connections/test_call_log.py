"""The log of calls: who sees it, and what never stands in it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.connections import retention
from integrations.connections.call_log import kept
from integrations.models import CallRecord
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.factories.integrations import CallRecordFactory, IntegrationFactory
from tests.integrations.connections.conftest import Register, Serve
from tests.integrations.http.scripted_server import Peer

CALLS = "integration/external/crm/calls"


def echo(peer: Peer) -> None:
    while request := peer.request():
        peer.answer(request.partition(b"\r\n\r\n")[2] or request)


def test_a_call_leaves_a_row_without_bodies(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    register(serve(echo))
    body = {"method": "POST", "endpoint": "/a/ada@example.com?q=private", "data": {"x": 1}}
    response = api.call("POST", "integration/external/crm/request", body)
    (row,) = api.ok("GET", CALLS)["results"]
    assert row["endpoint"] == "/a/[email]?q=\u2026"
    assert row["request_id"] == response.headers["X-Request-Id"]
    assert (row["request_text"], row["response_text"]) == (None, None)
    assert (row["method"], row["status"], row["attempt"], row["is_error"]) == (
        "POST", 200, 1, False,
    )  # fmt: skip
    assert row["response_bytes"] == len('{"x":1}')


def test_bodies_are_kept_redacted_where_wanted(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    register(serve(echo), logs_bodies=True)
    raw = '{"method":"POST","endpoint":"/","data":{"password":"hunter2","mail":"a@b.example"}}'
    api.ok("POST", "integration/external/crm/request", raw=raw.encode())
    row = CallRecord.objects.get()
    for text in (row.request_text, row.response_text):
        assert text == '{"password":"[secret]","mail":"[email]"}'


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (None, None),
        (b"", ""),
        (b"\xff\x00plain", "\ufffd\ufffdplain"),
        (b'{"a": [{"client_secret": {"b": 1}}]}', '{"a":[{"client_secret":"[secret]"}]}'),
        (b'{"a": "the-key"}', '{"a":"[secret]"}'),
        (b"[" * 3000, "[" * 3000),
    ],
)
def test_what_is_kept_of_a_body(body: bytes | None, text: str | None) -> None:
    assert kept(body, ("the-key",)) == text


def test_only_the_beginning_is_kept() -> None:
    assert len(kept(b"x " * 50_000, ()) or "") == 4000


def test_who_sees_the_log(api: ApiClient, membership: Any) -> None:
    mine = IntegrationFactory(project=membership.project, name="crm")
    theirs = IntegrationFactory(name="crm")
    for integration in (mine, theirs):
        CallRecordFactory(integration_id=integration.pk, project_id=integration.project_id)
    assert len(api.ok("GET", CALLS)["results"]) == 1
    stranger = ApiClient(api_key_for(MembershipFactory(role_name="admin")))
    stranger.refused(404, "GET", CALLS)


def test_the_log_is_paged_newest_first(api: ApiClient, membership: Any) -> None:
    integration = IntegrationFactory(project=membership.project, name="crm")
    for index in range(5):
        CallRecordFactory(
            integration_id=integration.pk, project_id=integration.project_id, endpoint=f"/{index}"
        )
    first = api.ok("GET", f"{CALLS}?page_size=3")
    assert [row["endpoint"] for row in first["results"]] == ["/4", "/3", "/2"]
    rest = api.ok("GET", f"{CALLS}?page_size=3&cursor={first['next']}")
    assert [row["endpoint"] for row in rest["results"]] == ["/1", "/0"]


@pytest.mark.django_db
def test_old_calls_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    now = timezone.now()
    for _ in range(5):
        CallRecordFactory(created_at=now - timedelta(days=91))
    fresh = CallRecordFactory(created_at=now - timedelta(days=89))
    assert retention.prune_calls() == 5
    assert CallRecord.objects.get() == fresh
