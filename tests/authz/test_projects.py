"""Projects over the API: a credential sees its own, and opens others only by founding them."""

from typing import Any
from uuid import uuid4

import pytest

from authz.models import AuditEvent, Membership, Project
from tests.api_client import ApiClient, lasting
from tests.authz.conftest import LogIn
from tests.factories.authz import MembershipFactory, ProjectFactory, api_key_for

PATH = "auth/projects"


def test_a_credential_sees_its_project_only(with_key: ApiClient, member: Membership) -> None:
    other = ProjectFactory()
    shown = with_key.ok("GET", PATH)["results"]
    assert [row["slug"] for row in shown] == ["shop"]
    assert with_key.ok("GET", f"{PATH}/{member.project.pk}") == shown[0]
    for method, body in (("GET", None), ("PATCH", {"name": "Theirs"}), ("DELETE", None)):
        answers = [
            with_key.refused(404, method, f"{PATH}/{pk}", body) for pk in (other.pk, uuid4())
        ]
        assert lasting(answers[0]) == lasting(answers[1])


def test_who_founds_a_project_is_its_admin(with_key: ApiClient, log_in: LogIn) -> None:
    made = with_key.ok("POST", PATH, {"slug": "garden", "name": "Garden"})
    with_key.refused(404, "GET", f"{PATH}/{made['id']}")
    there = ApiClient(log_in(project="garden")["access"])
    assert there.ok("GET", PATH)["results"] == [made]
    assert there.ok("GET", "auth/me")["role"] == "admin"
    assert AuditEvent.objects.filter(action="project.create", object_id=made["id"]).exists()


def test_with_an_account_its_owner_becomes_admin(with_key: ApiClient, member: Membership) -> None:
    account = with_key.ok("POST", "auth/service-accounts", {"username": "ci", "role": "admin"})
    path = f"auth/service-accounts/{account['id']}/api-keys"
    robot = ApiClient(with_key.ok("POST", path, {"name": "ci"})["key"])
    made = robot.ok("POST", PATH, {"slug": "garden", "name": "Garden"})
    places = Membership.objects.filter(project_id=made["id"], role__name="admin")
    assert {place.user.username for place in places} == {"ci", "ada"}


def test_nobody_founds_a_project_to_do_more(member: Membership) -> None:
    narrow = ApiClient(api_key_for(member, scopes=["authz.add_project"]))
    narrow.refused(403, "POST", PATH, {"slug": "garden", "name": "Garden"})
    operator = ApiClient(api_key_for(MembershipFactory(project=member.project)))
    operator.refused(403, "POST", PATH, {"slug": "garden", "name": "Garden"})
    assert Project.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "x"}, "/slug"),
        ({"slug": "x"}, "/name"),
        ({"slug": "Shop!", "name": "x"}, "/slug"),
        ({"slug": "shop", "name": "x"}, "/slug"),
        ({"slug": "x", "name": ""}, "/name"),
        ({"slug": "x", "name": "x", "is_active": False}, "/is_active"),
    ],
)
def test_odd_projects_are_refused(with_key: ApiClient, body: dict[str, Any], path: str) -> None:
    envelope = with_key.refused(400, "POST", PATH, body)
    assert envelope["error_details"]["fields"][0]["path"] == path
    assert Project.objects.count() == 1


def test_a_project_is_renamed(with_key: ApiClient, member: Membership) -> None:
    path = f"{PATH}/{member.project.pk}"
    assert with_key.ok("PATCH", path, {"name": "Grocery"})["name"] == "Grocery"
    assert with_key.ok("PATCH", path, {"slug": "grocery"})["slug"] == "grocery"
    assert with_key.ok("GET", "auth/me")["project"] == "grocery"
    with_key.refused(400, "PATCH", path, {"slug": ""})


def test_in_a_closed_project_no_credential_counts(
    with_key: ApiClient, member: Membership, log_in: LogIn
) -> None:
    token = ApiClient(log_in()["access"])
    with_key.ok("DELETE", f"{PATH}/{member.project.pk}")
    with_key.refused(401, "GET", PATH)
    token.refused(401, "GET", PATH)
    assert AuditEvent.objects.filter(action="project.update").exists()
