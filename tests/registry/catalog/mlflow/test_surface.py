"""MLflow's routes in process: errors as its clients know them, tenants apart, few queries."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authz.models import AuditEvent, Project
from registry.models import ModelVersion, RegisteredModel
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register

INVALID = "INVALID_PARAMETER_VALUE"
BASE = "/api/2.0/mlflow/"


@pytest.fixture
def api(project: Project) -> ApiClient:
    return ApiClient(api_key_for(MembershipFactory(project=project)))


def ask(api: ApiClient, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    response = api.call(method, BASE + path, body)
    return response.status_code, json.loads(response.content)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "registered-models/get?name=none", None, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "registered-models/get", None, 400, INVALID),
        ("GET", "registered-models/get?name=%00", None, 400, INVALID),
        ("POST", "registered-models/get", {}, 405, "ENDPOINT_NOT_FOUND"),
        ("POST", "registered-models/create", {"name": "a"}, 400, "RESOURCE_ALREADY_EXISTS"),
        ("POST", "registered-models/create", {"name": 5}, 400, INVALID),
        ("POST", "registered-models/create", [], 400, INVALID),
        ("POST", "registered-models/create", {"name": ""}, 400, INVALID),
        ("POST", "registered-models/rename", {"name": "a", "new_name": ""}, 400, INVALID),
        ("POST", "model-versions/create", {"name": "a"}, 400, INVALID),
        ("GET", "model-versions/get?name=a&version=x", None, 400, INVALID),
        ("GET", "model-versions/get?name=a&version=9223372036854775808", None, 400, INVALID),
        ("GET", "model-versions/get?name=a&version=7", None, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "registered-models/alias?name=a&alias=no", None, 400, INVALID),
        ("GET", "registered-models/alias?name=no&alias=no", None, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "registered-models/search?max_results=0", None, 400, INVALID),
        ("GET", "registered-models/search?max_results=1001", None, 400, INVALID),
        ("GET", "registered-models/search?page_token=odd", None, 400, INVALID),
        ("GET", "registered-models/search?order_by=odd", None, 400, INVALID),
        ("GET", "model-versions/search?filter=odd", None, 400, INVALID),
        ("GET", "runs/get?run_id=1", None, 404, "RESOURCE_DOES_NOT_EXIST"),
    ],
)  # fmt: skip
def test_errors(
    api: ApiClient, register: Register, method: str, path: str, body: Any, status: int, code: str
) -> None:
    register("a")
    events = AuditEvent.objects.count()
    got, answer = ask(api, method, path, body)
    assert (got, answer["error_code"]) == (status, code), answer
    assert answer["message"]
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("raw", [b"{", b'{"name": "\\ud800"}', b'{"name": "\\u0000"}', b"\xff"])
def test_bodies_that_are_no_json(api: ApiClient, raw: bytes) -> None:
    response = api.call("POST", f"{BASE}registered-models/create", raw=raw)
    assert response.status_code == 400
    assert json.loads(response.content)["error_code"] == INVALID
    response = api.call(
        "POST", f"{BASE}registered-models/create", raw=b"name=a", content_type="text/plain"
    )
    assert response.status_code == 400


def test_what_later_clients_send_more_is_ignored(api: ApiClient) -> None:
    body = {"name": "a", "deployment_job_id": "x", "tags": [{"key": "k", "value": "v"}]}
    assert ask(api, "POST", "registered-models/create", body)[0] == 200
    body = {"name": "a", "source": "models:/m-1", "model_id": "m-1", "local_model_path": "/x"}
    status, answer = ask(api, "POST", "model-versions/create", body)
    version = answer["model_version"]
    assert (status, version["version"], version["model_id"]) == (200, "1", "m-1")
    assert version["source"] == "models:/m-1"


def test_who_may_not_is_denied_and_recorded(project: Project, register: Register) -> None:
    register("a")
    viewer = ApiClient(api_key_for(MembershipFactory(project=project, role_name="viewer")))
    assert ask(viewer, "GET", "registered-models/get?name=a")[0] == 200
    status, answer = ask(viewer, "DELETE", "registered-models/delete", {"name": "a"})
    assert (status, answer["error_code"]) == (403, "PERMISSION_DENIED")
    assert AuditEvent.objects.filter(outcome="denied").count() == 1
    status, answer = ask(ApiClient(), "GET", "registered-models/get?name=a")
    assert (status, answer["error_code"]) == (401, "UNAUTHENTICATED")


def test_another_projects_models_are_as_good_as_missing(
    other_project: Project, register: Register
) -> None:
    register("a")
    other = ApiClient(api_key_for(MembershipFactory(project=other_project)))
    assert ask(other, "GET", "registered-models/get?name=a")[0] == 404
    assert ask(other, "GET", "model-versions/get?name=a&version=1")[0] == 404
    assert ask(other, "GET", "model-versions/search") == (200, {"model_versions": []})
    assert ask(other, "DELETE", "model-versions/delete", {"name": "a", "version": "1"})[0] == 404
    assert ModelVersion.objects.count() == 1


def test_what_is_remembered_is_what_is_there(api: ApiClient, register: Register) -> None:
    register("a")
    path = "registered-models/get?name=a"
    assert ask(api, "GET", path)[1]["registered_model"]["tags"] == []
    with CaptureQueriesContext(connection) as captured:
        ask(api, "GET", path)
    assert len(captured) == 1
    ask(api, "POST", "registered-models/set-tag", {"name": "a", "key": "k", "value": "v"})
    assert ask(api, "GET", path)[1]["registered_model"]["tags"] == [{"key": "k", "value": "v"}]


def test_tags_are_set_one_by_one(api: ApiClient, register: Register) -> None:
    register("a", tags={"x": "1"})
    body = {"name": "a", "version": 1, "key": "y", "value": "2"}
    assert ask(api, "POST", "model-versions/set-tag", body)[0] == 200
    body = {"name": "a", "version": "1", "key": "x"}
    assert ask(api, "DELETE", "model-versions/delete-tag", body)[0] == 200
    assert ModelVersion.objects.get().tags == {"y": "2"}


def test_searches_ask_as_often_for_many_as_for_few(api: ApiClient, register: Register) -> None:
    counts = []
    for begin in (0, 10):
        for index in range(begin, begin + 10):
            register(f"m{index}", tags={"a": "b"})
        ask(api, "GET", "registered-models/search")
        for path in ("registered-models/search", "model-versions/search?filter=tags.a='b'"):
            with CaptureQueriesContext(connection) as captured:
                assert ask(api, "GET", path)[0] == 200
            counts.append(len(captured))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 6


def test_searches_say_of_each_what_asking_for_it_says(api: ApiClient, register: Register) -> None:
    for name in ("a", "b", "b", "c"):
        register(name, tags={"k": name})
    for name, version in (("b", "1"), ("c", "1")):
        body = {"name": name, "version": version, "stage": "Production"}
        body |= {"archive_existing_versions": False}
        assert ask(api, "POST", "model-versions/transition-stage", body)[0] == 200
        for alias in ("old", "first"):
            body = {"name": name, "alias": alias, "version": version}
            assert ask(api, "POST", "registered-models/alias", body)[0] == 200
    assert ask(api, "POST", "registered-models/create", {"name": "empty"})[0] == 200
    models = ask(api, "GET", "registered-models/search")[1]["registered_models"]
    assert [model["name"] for model in models] == ["a", "b", "c", "empty"]
    assert [len(model["latest_versions"]) for model in models] == [1, 2, 1, 0]
    for model in models:
        path = f"registered-models/get?name={model['name']}"
        assert ask(api, "GET", path)[1]["registered_model"] == model
    versions = ask(api, "GET", "model-versions/search")[1]["model_versions"]
    assert len(versions) == 4
    for version in versions:
        path = f"model-versions/get?name={version['name']}&version={version['version']}"
        assert ask(api, "GET", path)[1]["model_version"] == version
        aliases = ["first", "old"] if version["current_stage"] == "Production" else []
        assert version["aliases"] == aliases


def test_searches_page_to_the_end(api: ApiClient, register: Register) -> None:
    for _ in range(5):
        register("a")
    RegisteredModel.objects.filter(name="a").update(description="x")
    seen, token = [], ""
    while token is not None:
        answer = ask(api, "GET", f"model-versions/search?max_results=2&page_token={token}")[1]
        seen += [row["version"] for row in answer["model_versions"]]
        token = answer.get("next_page_token")
    assert seen == ["5", "4", "3", "2", "1"]


@pytest.mark.parametrize(
    "credential",
    ["Basic", "Basic !", "Basic 4A==", "Basic bm9jb2xvbg==", "Basic OnM=", "basic Og=="],
)
def test_basic_credentials_without_a_key(credential: str) -> None:
    client = Client(headers={"authorization": credential}, raise_request_exception=False)
    answer = client.get("/api/2.0/mlflow/registered-models/search")
    assert answer.status_code == 401
    assert answer.json()["error_code"] == "UNAUTHENTICATED"


def test_no_workspaces(api: ApiClient) -> None:
    response = api.call("GET", "/api/3.0/mlflow/server-info")
    assert json.loads(response.content) == {"workspaces_enabled": False}


def test_a_search_of_models_is_remembered_until_something_changes(
    api: ApiClient, register: Register
) -> None:
    register("a")
    path = "registered-models/search?filter=name%20LIKE%20'%25'"
    first = ask(api, "GET", path)
    with CaptureQueriesContext(connection) as captured:
        assert ask(api, "GET", path) == first
    assert len(captured) == 1
    body = {"name": "a", "alias": "champion", "version": "1"}
    ask(api, "POST", "registered-models/alias", body)
    found = ask(api, "GET", path)[1]["registered_models"][0]
    assert found["aliases"] == [{"alias": "champion", "version": "1"}]
    register("b")
    assert len(ask(api, "GET", path)[1]["registered_models"]) == 2
