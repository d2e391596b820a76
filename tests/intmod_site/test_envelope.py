"""Every answer under /api/v1 stands in the envelope, whatever went wrong."""

import json
import logging
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError

from registry.inference import candidates
from tests.api_client import ApiClient
from tests.factories.registry import ModelVersionFactory


def test_success_and_failure_have_the_same_head(api: ApiClient) -> None:
    good = json.loads(api.call("GET", "auth/me").content)
    bad = api.refused(404, "GET", "registry/models/none")
    assert list(good) == ["success", "data", "error", "timestamp", "request_id"]
    assert list(bad) == [*good, "error_details"]
    assert (good["success"], good["error"]) == (True, None)
    assert (bad["success"], bad["data"]) == (False, None)
    for envelope in (good, bad):
        assert envelope["timestamp"].endswith("Z")
        datetime.fromisoformat(envelope["timestamp"])


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "path", ["nothing", "a%0Ab", "registry/models/a/b/c/d", "auth/api-keys/5", "audit/events/x"]
)
def test_unknown_routes(api: ApiClient, settings: Any, debug: bool, path: str) -> None:
    settings.DEBUG = debug
    envelope = api.refused(404, "GET", path)
    assert envelope["error_details"]["code"] == "unknown_route"


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2/x"])
def test_unknown_routes_beside_the_base(api: ApiClient, path: str) -> None:
    response = api.call("GET", path)
    assert response.status_code == 404
    assert json.loads(response.content)["success"] is False


@pytest.mark.parametrize(("path", "allowed"), [("registry/models", "GET"), ("ai/generate", "POST")])
def test_wrong_methods_say_which_are_right(api: ApiClient, path: str, allowed: str) -> None:
    response = api.call("DELETE", path)
    assert response.status_code == 405
    assert allowed in response.headers["Allow"]
    assert json.loads(response.content)["error_details"]["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["auth/me", "registry/models", "ai/generate"])
def test_without_a_credential(db: None, path: str) -> None:
    method = "POST" if path.startswith("ai") else "GET"
    response = ApiClient().call(method, path)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="intmod"'


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("path", ["registry/models/a/versions", "ai/generate"])
def test_our_own_faults_tell_the_caller_nothing(
    api: ApiClient,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    debug: bool,
    path: str,
) -> None:
    settings.DEBUG = debug

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(candidates, "resolve", fail)
    monkeypatch.setattr("registry.catalog.services._BY_NAME", SimpleNamespace(first=fail))
    body = {"prompt": "Hi"} if path == "ai/generate" else {"provider": "a", "provider_model": "b"}
    with caplog.at_level(logging.ERROR):
        envelope = api.refused(500, "POST", path, body)
    assert envelope["error_details"]["code"] == "internal_error"
    assert "secret detail" not in json.dumps(envelope)
    assert "secret detail" in caplog.text


def test_money_keeps_its_digits(api: ApiClient) -> None:
    from decimal import Decimal

    from intmod_site.api.envelope import dump

    assert dump({"cost": Decimal("0.000000001")}) == b'{"cost":"0.000000001"}'


@pytest.mark.parametrize("query", ["x=1", "cursor=1&cursor=2", "model_type=%00", "page_size=1.5"])
def test_odd_queries_are_refused(api: ApiClient, query: str) -> None:
    api.refused(400, "GET", f"registry/models?{query}")


@pytest.mark.parametrize(
    "name",
    ["%00", "a%00b", "%F0%9F%98%80", "a" * 3000, "..", "%2e%2e", "a%2Fb", "%ED%A0%80", "'", "%"],
)
def test_odd_names_in_paths_are_not_found(api: ApiClient, name: str) -> None:
    ModelVersionFactory()
    for path in (f"registry/models/{name}", f"registry/versions/{name}"):
        assert api.call("GET", path).status_code in {400, 404}


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["registry/models/a/aliases/b", "registry/models", "ai/generate"])
def test_methods_that_nobody_serves(api: ApiClient, method: str, path: str) -> None:
    assert api.call(method, path, {"version": 1}).status_code == 405


@pytest.mark.parametrize("path", ["registry/models", "ai/generate"])
def test_a_database_that_is_away_is_a_503(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("could not connect to server at secret-host")

    monkeypatch.setattr("registry.catalog.services.create_model", away)
    monkeypatch.setattr(candidates, "resolve", away)
    body = {"prompt": "Hi"} if path == "ai/generate" else {"name": "m", "model_type": "llm"}
    response = api.call("POST", path, body)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert b"secret-host" not in response.content
