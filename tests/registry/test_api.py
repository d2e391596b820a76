"""The registry over the API: what the guide's ModelRegistry could do, and what it refuses."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.models import AuditEvent, Project
from registry.models import ModelVersion, RegisteredModel
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register

VERSION = {"provider": "openai", "provider_model": "gpt-4", "model_id": "gpt-4-v1", "label": "1.0"}

As = Callable[..., ApiClient]


@pytest.fixture
def client_as(project: Project) -> As:
    def make(role: str, in_project: Project = project) -> ApiClient:
        membership = MembershipFactory(
            user__username=f"{role}-{in_project.slug}", project=in_project, role_name=role
        )
        return ApiClient(api_key_for(membership))

    return make


def test_the_life_of_a_model(client_as: As) -> None:
    api = client_as("operator")
    api.ok("POST", "registry/models", {"name": "gpt-4", "model_type": "llm", "tags": {"team": "a"}})
    created = api.ok("POST", "registry/models/gpt-4/versions", VERSION)
    assert (created["number"], created["model_name"]) == (1, "gpt-4")
    assert api.ok("GET", "registry/versions/gpt-4-v1") == created
    assert api.ok("GET", "registry/models/gpt-4/versions/1") == created
    listed = api.ok("GET", "registry/models?model_type=llm")["results"]
    assert [model["name"] for model in listed] == ["gpt-4"]
    assert api.ok("GET", "registry/models?model_type=embedding")["results"] == []

    performance = "registry/models/gpt-4/versions/1/performance"
    api.ok("POST", performance, {"metrics": {"accuracy": 0.95, "latency": 0.5}})
    api.ok("POST", performance, {"metrics": {"accuracy": 0.96}})
    answer = api.ok("GET", f"{performance}?metric=accuracy")
    assert answer["performance_metrics"] == {"accuracy": 0.96, "latency": 0.5}
    assert [sample["value"] for sample in answer["history"]] == [0.96, 0.95]

    api.ok("PATCH", "registry/models/gpt-4", {"description": "Large."})
    api.ok("PATCH", "registry/models/gpt-4/versions/1", {"label": "1.1", "tags": {"a": "b"}})
    assert api.ok("POST", "registry/models/gpt-4/versions/1/deactivate")["is_active"] is False
    assert api.ok("GET", "registry/versions?is_active=true")["results"] == []
    assert len(api.ok("GET", "registry/versions?is_active=false")["results"]) == 1

    api.ok("DELETE", "registry/models/gpt-4")
    api.refused(404, "GET", "registry/models/gpt-4")
    api.refused(404, "GET", "registry/versions/gpt-4-v1")


def test_aliases(client_as: As, register: Register) -> None:
    api = client_as("operator")
    register("a")
    register("a")
    path = "registry/models/a/aliases/champion"
    assert api.ok("PUT", path, {"version": 1})["version"] == 1
    api.refused(409, "PUT", path, {"version": 2, "expected_version": 2})
    api.refused(404, "PUT", path, {"version": 9})
    assert api.ok("GET", path)["model_id"] == "a-1"
    assert len(api.ok("GET", "registry/models/a/aliases")["results"]) == 1
    api.ok("DELETE", path)
    api.refused(404, "GET", path)


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "registry/models", {"model_type": "llm"}, "/name"),
        ("POST", "registry/models", {"name": "a/b", "model_type": "llm"}, "/name"),
        ("POST", "registry/models", {"name": 5, "model_type": "llm"}, "/name"),
        ("POST", "registry/models", {"name": "b", "model_type": "x"}, "/model_type"),
        ("POST", "registry/models", {"name": "b", "model_type": "llm", "id": 1}, "/id"),
        (
            "POST",
            "registry/models",
            {"name": "b", "model_type": "llm", "tags": {"a": 1}},
            "/tags/a",
        ),
        ("POST", "registry/models/a/versions", {"provider": "x"}, "/provider_model"),
        ("POST", "registry/models/a/versions", {**VERSION, "tasks": ["x"]}, "/tasks/0"),
        ("POST", "registry/models/a/versions", {**VERSION, "integration": "x"}, "/integration"),
        ("PATCH", "registry/models/a/versions/1", {"number": 7}, "/number"),
        ("PATCH", "registry/models/a/versions/1", {"is_active": "false"}, "/is_active"),
        ("PUT", "registry/models/a/aliases/c", {"version": "1"}, "/version"),
        ("PUT", "registry/models/a/aliases/c", {"version": 1.0}, "/version"),
        ("POST", "registry/models/a/versions/1/performance", {"metrics": {"a": "1"}}, "/metrics/a"),
        ("GET", "registry/models?modeltype=llm", None, "/modeltype"),
        ("GET", "registry/models?model_type=llm&model_type=x", None, "/model_type"),
        ("GET", "registry/models?page_size=0", None, "/page_size"),
        ("GET", "registry/models?cursor=zzz", None, "/cursor"),
        ("GET", "registry/versions?is_active=yes", None, "/is_active"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(
    client_as: As, register: Register, method: str, path: str, body: object, field: str
) -> None:
    register("a")
    api = client_as("operator")
    before = (
        RegisteredModel.objects.count(),
        ModelVersion.objects.count(),
        AuditEvent.objects.count(),
    )
    envelope = api.refused(400, method, path, body)
    assert [error["path"] for error in envelope["error_details"]["fields"]] == [field]
    assert field.lstrip("/").replace("/", ".") in envelope["error"]
    after = (
        RegisteredModel.objects.count(),
        ModelVersion.objects.count(),
        AuditEvent.objects.count(),
    )
    assert after == before


@pytest.mark.parametrize(
    "path",
    [
        "registry/models/a",
        "registry/models/a/versions/1",
        "registry/versions/a-1",
        "registry/models/a/versions",
        "registry/models/a/aliases",
        "registry/models/a/versions/1/performance",
    ],
)
def test_another_projects_objects_answer_like_missing_ones(
    client_as: As, register: Register, other_project: Project, path: str
) -> None:
    register("a")
    api = client_as("operator", other_project)
    theirs = api.refused(404, "GET", path)
    missing = api.refused(404, "GET", re.sub(r"/a(?=/|-|$)", "/b", path))
    for envelope in (theirs, missing):
        del envelope["request_id"], envelope["timestamp"]
    text = str(theirs).replace("called a", "called b")
    assert text == str(missing)


@pytest.mark.parametrize("role", ["viewer", "developer"])
def test_who_may_not_change_models_is_denied_and_recorded(
    client_as: As, register: Register, role: str
) -> None:
    register("a")
    api = client_as(role)
    api.ok("GET", "registry/models")
    api.refused(403, "DELETE", "registry/models/a")
    denial = AuditEvent.objects.get(outcome="denied")
    assert denial.actor_label == f"{role}-shop"
    assert "registry.delete_registeredmodel" in denial.changes["reason"]
    assert RegisteredModel.objects.filter(deleted_at=None).exists()


def test_lists_do_not_ask_more_with_more_rows(client_as: As, register: Register) -> None:
    api = client_as("viewer")
    api.ok("GET", "registry/versions")
    counts = []
    for _ in range(2):
        for _ in range(5):
            register("a")
        with CaptureQueriesContext(connection) as queries:
            api.ok("GET", "registry/versions")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_huge_number_that_was_stored_can_be_read(client_as: As, register: Register) -> None:
    """PostgreSQL gives 1e20 back as a whole number of more than 64 bits."""
    register("a", parameters={"x": 1e20})
    api = client_as("operator")
    path = "registry/models/a/versions/1/performance"
    api.ok("POST", path, {"metrics": {"loss": 1e20}})
    assert api.ok("GET", path)["performance_metrics"] == {"loss": 1e20}
    assert api.ok("GET", "registry/versions")["results"][0]["parameters"] == {"x": 1e20}


def test_an_action_without_a_body_refuses_one(client_as: As, register: Register) -> None:
    register("a")
    api, path = client_as("operator"), "registry/models/a/versions/1/deactivate"
    api.refused(400, "POST", path, {"is_active": True})
    api.refused(400, "POST", path, raw=b"{")
    api.refused(415, "POST", path, raw=b"x", content_type="text/plain")
    assert api.ok("GET", "registry/models/a/versions/1")["is_active"] is True
    assert api.ok("POST", path)["is_active"] is False
