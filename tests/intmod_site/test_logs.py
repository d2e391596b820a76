"""Logs: one JSON line a request, with what operators ask for and nothing that was sent."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from intmod_site.logs import BatchingHandler, JSONFormatter
from registry.inference import candidates
from tests.api_client import ApiClient
from tests.factories.authz import PASSWORD


class Written:
    """What the product's own handler has written so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str], handler: BatchingHandler) -> None:
        self._capsys = capsys
        self._handler = handler
        self._text = ""

    def text(self, *, flush: bool = True) -> str:
        if flush:
            self._handler.flush()
        self._text += self._capsys.readouterr().err
        return self._text

    def lines(self, logger: str) -> list[dict[str, Any]]:
        parsed = [json.loads(line) for line in self.text().split("\n") if line]
        return [line for line in parsed if line["logger"].startswith(logger)]


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    """Every logger at every level."""
    handler = BatchingHandler()
    handler.setFormatter(JSONFormatter())
    root, ours = logging.getLogger(), logging.getLogger("intmod")
    levels = root.level, ours.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    ours.setLevel(logging.DEBUG)
    yield Written(capsys, handler)
    root.removeHandler(handler)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def test_a_request_is_one_line(api: ApiClient, written: Written) -> None:
    api.call("GET", "registry/models/none?", X_Request_Id="trace-12345678")
    (line,) = written.lines("intmod.request")
    duration_ms = line.pop("duration_ms")
    assert duration_ms >= 0
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "intmod.request",
        "message": "request",
        "request_id": "trace-12345678",
        "method": "GET",
        "route": "/api/v1/registry/models/<str:name>",
        "status": 404,
        "principal": "ada",
        "project": "shop",
        "error_code": "not_found",
    }


def test_nobody_is_named_where_nobody_is_known(api: ApiClient, written: Written) -> None:
    ApiClient().call("GET", "auth/me")
    ApiClient().call("GET", "/no/such/page")
    line, unresolved = written.lines("intmod.request")
    assert (line["principal"], line["project"]) == (None, None)
    assert (unresolved["route"], unresolved["status"]) == ("unresolved", 404)


def test_no_line_carries_what_was_sent(api: ApiClient, written: Written) -> None:
    canary = "canary-7f3a"
    api.call("POST", "ai/generate", {"prompt": canary, "model": "m"})
    api.call("POST", "ai/generate", {"prompt": canary, canary: 1})
    api.call("POST", "registry/models", raw=b'{"name": "%s' % canary.encode())
    api.call("GET", f"registry/models?model_type={canary}")
    api.call("GET", f"registry/models/{canary}")
    api.call("GET", "auth/me", Cookie=canary, Referer=canary, X_Custom=canary)
    pair = api.ok("POST", "auth/token", {"username": "ada", "password": PASSWORD})
    api.call("POST", "auth/token", {"username": "ada", "password": canary})
    api.call("POST", "auth/token/refresh", {"refresh": pair["refresh"]})
    key = api.ok("POST", "auth/api-keys", {"name": "ci"}, Idempotency_Key=canary)["key"]
    ApiClient(pair["access"]).call("GET", "auth/me")
    ApiClient(key).call("GET", "auth/me")
    ApiClient(canary).call("GET", "auth/me")
    assert len(written.lines("intmod.request")) == 13
    secrets = [canary, PASSWORD, key, api.credential or "", pair["access"], pair["refresh"]]
    text = written.text()
    assert not [secret for secret in secrets if secret in text]


def test_a_fault_of_ours_is_told_with_its_trace_and_id(
    api: ApiClient, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("what happened")

    monkeypatch.setattr(candidates, "resolve", fail)
    api.refused(500, "POST", "ai/generate", {"prompt": "canary"}, X_Request_Id="trace-12345678")
    (fault,) = written.lines("intmod.api")
    assert fault["level"] == "error"
    assert "RuntimeError: what happened" in fault["exception"]
    assert fault["request_id"] == "trace-12345678"
    assert "canary" not in written.text()


def test_a_line_break_in_a_message_stays_one_line(written: Written) -> None:
    logging.getLogger("intmod.x").warning('one\ntwo "three" %s', "é\u2028")
    (line,) = written.lines("intmod.x")
    assert line["message"] == 'one\ntwo "three" é\u2028'


def test_warnings_are_written_at_once_with_all_before_them(written: Written) -> None:
    log = logging.getLogger("intmod.x")
    log.info("first")
    log.warning("second")
    text = written.text(flush=False)
    assert text.index("first") < text.index("second")


def test_a_bad_record_ends_nothing(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    log = logging.getLogger("intmod.x")
    log.info("%d", "not a number")
    log.warning("after")
    assert "after" in written.text()
