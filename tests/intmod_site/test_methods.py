"""HEAD, OPTIONS, other methods and Accept headers: what HTTP asks of every route."""

import json

import pytest

from tests.api_client import ApiClient

READ = ("auth/me", "registry/models", "audit/events")


@pytest.mark.parametrize("path", READ)
def test_head_answers_like_get_without_a_body(api: ApiClient, path: str) -> None:
    get, head = api.call("GET", path), api.call("HEAD", path)
    assert head.status_code == get.status_code
    assert head.content == b""
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("auth/me", {"GET", "HEAD"}),
        ("registry/models", {"GET", "HEAD", "POST"}),
        ("ai/generate", {"POST"}),
        ("support/route", {"POST"}),
    ],
)
@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "BREW", "PUT"])
def test_other_methods_are_told_which_are_served(
    api: ApiClient, path: str, allowed: set[str], method: str
) -> None:
    response = api.call(method, path)
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == allowed
    details = json.loads(response.content)["error_details"]
    assert details["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", [*READ, "support/route"])
@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "PUT"])
def test_strangers_are_told_nothing(db: None, path: str, method: str) -> None:
    assert ApiClient().call(method, path).status_code == 401


def test_an_override_header_overrides_nothing(api: ApiClient) -> None:
    body = {"name": "m", "model_type": "llm"}
    created = api.call("POST", "registry/models", body, X_HTTP_Method_Override="DELETE")
    assert created.status_code == 201


def test_only_json_is_answered(api: ApiClient) -> None:
    for accepted in ("*/*", "application/*", "text/html, */*;q=0.1"):
        assert api.call("GET", "registry/models", Accept=accepted).status_code == 200
    envelope = api.refused(406, "GET", "registry/models", Accept="text/html")
    assert envelope["error_details"]["code"] == "not_acceptable"


@pytest.mark.parametrize("name", ["json", "xml", "api"])
def test_format_is_no_way_to_ask_for_others(api: ApiClient, name: str) -> None:
    api.refused(400, "GET", f"registry/models?format={name}")
