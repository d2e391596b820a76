"""Routes over the API: created, changed, deleted; what is no target is named."""

from typing import Any

import pytest

from authz.models import AuditEvent, Project
from registry.models import Route
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for

PATH = "registry/routes"
TARGETS = [{"model": "smol@champion", "weight": 9}, {"model": "other:2", "weight": 1, "order": 1}]


@pytest.fixture
def api(project: Project) -> ApiClient:
    return ApiClient(api_key_for(MembershipFactory(project=project, role_name="operator")))


def test_the_life_of_a_route(api: ApiClient) -> None:
    created = api.ok("POST", PATH, {"name": "fast", "targets": TARGETS})
    assert (created["name"], created["strategy"], created["targets"]) == (
        "fast",
        "weighted",
        TARGETS,
    )
    assert api.ok("GET", f"{PATH}/fast") == created
    assert api.ok("PATCH", f"{PATH}/fast", {"strategy": "order"})["strategy"] == "order"
    assert [row["name"] for row in api.ok("GET", PATH)["results"]] == ["fast"]
    api.ok("DELETE", f"{PATH}/fast")
    api.refused(404, "GET", f"{PATH}/fast")
    assert list(AuditEvent.objects.values_list("action", flat=True).order_by("id"))[-3:] == [
        "route.create",
        "route.update",
        "route.delete",
    ]


def test_a_name_is_taken_once(api: ApiClient) -> None:
    api.ok("POST", PATH, {"name": "fast", "targets": TARGETS})
    api.refused(409, "POST", PATH, {"name": "fast", "targets": TARGETS})
    api.ok("POST", PATH, {"name": "slow", "targets": TARGETS})
    api.refused(409, "PATCH", f"{PATH}/slow", {"name": "fast"})


@pytest.mark.parametrize(
    ("targets", "path"),
    [
        ([], "/targets"),
        ([{"model": "a"}] * 21, "/targets"),
        ([{"model": "a", "weight": 0}], "/targets"),
        ([{"model": ""}], "/targets/0/model"),
        ([{"model": 1}], "/targets/0/model"),
        ([{}], "/targets/0/model"),
        ([{"model": "a"}, {"model": "b", "weight": -1}], "/targets/1/weight"),
        ([{"model": "a", "weight": True}], "/targets/0/weight"),
        ([{"model": "a", "weight": 1e300}], "/targets/0/weight"),
        ([{"model": "a", "order": 1.5}], "/targets/0/order"),
        ([{"model": "a", "order": -1}], "/targets/0/order"),
        ([{"model": "a", "x": 1}], "/targets/0"),
        (["a"], "/targets/0"),
        ("a", "/targets"),
    ],
)
def test_what_is_no_target_is_named(api: ApiClient, targets: Any, path: str) -> None:
    envelope = api.refused(400, "POST", PATH, {"name": "fast", "targets": targets})
    assert envelope["error_details"]["fields"][0]["path"] == path
    assert not Route.objects.exists()


def test_another_projects_routes_are_not_there(api: ApiClient, other_project: Project) -> None:
    Route.objects.create(project=other_project, name="theirs", targets=TARGETS)
    api.refused(404, "GET", f"{PATH}/theirs")
    api.refused(404, "PATCH", f"{PATH}/theirs", {"strategy": "order"})
    assert api.ok("GET", PATH)["results"] == []


def test_developers_see_routes_and_change_none(api: ApiClient, project: Project) -> None:
    developer = ApiClient(api_key_for(MembershipFactory(project=project, role_name="developer")))
    assert developer.ok("GET", PATH)["results"] == []
    developer.refused(403, "POST", PATH, {"name": "fast", "targets": TARGETS})
