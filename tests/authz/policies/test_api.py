"""The policy endpoints: kept by version, attached, tried out, and of one project only."""

from typing import Any
from uuid import uuid4

import pytest

from authz.models import AuditEvent, Membership, PolicyAttachment, SecurityPolicy
from integrations.connections.services import remove_integration
from integrations.models import Integration
from registry.catalog.services import delete_model
from tests.api_client import ApiClient
from tests.authz.policies.conftest import RULES
from tests.factories.authz import ACTOR, MembershipFactory, api_key_for
from tests.factories.registry import ModelVersionFactory

BODY = {"name": "pii", "description": "Ask for an address.", "rules": RULES}


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def test_a_policy_is_created_read_changed_and_deleted(with_key: ApiClient) -> None:
    created = with_key.ok("POST", "policies", BODY)
    assert (created["version"], created["rules"]) == (1, RULES)
    path = f"policies/{created['id']}"
    assert with_key.ok("GET", path) == created
    assert with_key.ok("GET", "policies?name=pii")["results"] == [created]
    changed = with_key.ok("PATCH", path, {"rules": {"methods": ["GET"]}})
    assert (changed["version"], changed["rules"]) == (2, {"methods": ["GET"]})
    assert with_key.ok("PATCH", path, {"description": "x"})["version"] == 2
    assert with_key.ok("PATCH", path, {"rules": {"methods": ["GET"]}})["version"] == 2
    versions = with_key.ok("GET", f"{path}/versions")["results"]
    assert [(row["number"], row["rules"]) for row in versions] == [
        (2, {"methods": ["GET"]}),
        (1, RULES),
    ]
    with_key.ok("DELETE", path)
    with_key.refused(404, "GET", path)
    assert [action for action in actions() if action.startswith("securitypolicy")] == [
        "securitypolicy.create",
        *["securitypolicy.update"] * 3,
        "securitypolicy.delete",
    ]


def test_two_editors_do_not_overwrite_each_other(
    with_key: ApiClient, policy: SecurityPolicy
) -> None:
    path = f"policies/{policy.pk}"
    tag = with_key.call("GET", path).headers["ETag"]
    first = with_key.call("PATCH", path, {"rules": {"methods": ["GET"]}}, If_Match=tag)
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    for stale in (tag, "2", '"x"', 'W/"2"'):
        with_key.refused(412, "PATCH", path, {"rules": {}}, If_Match=stale)
    with_key.ok("PATCH", path, {"description": "x"}, If_Match="*")
    policy.refresh_from_db()
    assert (policy.version, policy.rules) == (2, {"methods": ["GET"]})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "Not a name"}, "/name"),
        ({"name": "a" * 64}, "/name"),
        ({"name": "a\tb"}, "/name"),
        ({"rules": None}, "/rules"),
        ({"rules": []}, "/rules"),
        ({"rules": {"validation_rules": {"a": {"x": 1}}}}, "/rules/validation_rules/a/x"),
        ({"rules": {"schema": {"$ref": "https://example.com"}}}, "/rules/schema/$ref"),
        ({"version": 7}, "/version"),
        ({"project": str(uuid4())}, "/project"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_changes(
    with_key: ApiClient, policy: SecurityPolicy, body: dict[str, Any], pointer: str
) -> None:
    before = actions()
    for method, path in (("POST", "policies"), ("PATCH", f"policies/{policy.pk}")):
        answer = with_key.refused(400, method, path, {**BODY, "name": "new", **body})
        assert answer["error_details"]["fields"][0]["path"] == pointer
    assert SecurityPolicy.objects.values("name", "rules", "version").get() == {
        "name": "pii", "rules": RULES, "version": 1,
    }  # fmt: skip
    assert actions() == before


def test_a_name_is_given_once(with_key: ApiClient, policy: SecurityPolicy) -> None:
    with_key.refused(409, "POST", "policies", BODY)
    other = with_key.ok("POST", "policies", {**BODY, "name": "other"})
    with_key.refused(409, "PATCH", f"policies/{other['id']}", {"name": "pii"})


def test_a_dry_run_decides_about_what_it_is_told(
    with_key: ApiClient, policy: SecurityPolicy
) -> None:
    path = f"policies/{policy.pk}/evaluate"
    events = AuditEvent.objects.count()
    answer = with_key.ok("POST", path, {"data": {"email": "x"}})
    assert answer == {
        "allowed": True, "reasons": [], "policy_version": 1,
        "not_judged": ["method", "path", "source"],
    }  # fmt: skip
    answer = with_key.ok("POST", path, {"data": None, "method": "GET", "path": "/x"})
    assert not answer["allowed"]
    assert answer["reasons"] == [
        {"pointer": "/method", "rule": "/methods", "message": "This method is not allowed."},
        {
            "pointer": "/data/email",
            "rule": "/required_fields/0",
            "message": "This field is required.",
        },
    ]
    for body in ({}, {"data": 1, "source": "x"}, {"data": 1, "at": "x"}, {"data": 1, "more": 1}):
        with_key.refused(400, "POST", path, body)
    assert AuditEvent.objects.count() == events


def test_a_policy_is_attached_and_detached(
    with_key: ApiClient, policy: SecurityPolicy, integration: Integration, member: Membership
) -> None:
    version = ModelVersionFactory(model__project=member.project, model__name="smol", number=3)
    path = f"policies/{policy.pk}/attachments"
    made = with_key.ok("POST", path, {"kind": "integration", "target": "crm"})
    assert (made["kind"], made["target"], made["target_id"]) == (
        "integration", "crm", str(integration.pk),
    )  # fmt: skip
    for reference in ("smol:3", version.identifier):
        answer = with_key.call("POST", path, {"kind": "model_version", "target": reference})
        assert answer.status_code == (201 if reference == "smol:3" else 409)
    assert [row["target"] for row in with_key.ok("GET", path)["results"]] == ["crm", "smol:3"]
    with_key.refused(409, "DELETE", f"policies/{policy.pk}")
    with_key.ok("DELETE", f"{path}/{made['id']}")
    with_key.refused(404, "DELETE", f"{path}/{made['id']}")
    assert actions()[-1] == "securitypolicy.detach"
    assert AuditEvent.objects.latest("id").changes == {"attached_to": ["integration crm", None]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "integration", "target": "none"}, "/target"),
        ({"kind": "model_version", "target": "smol:99999999999"}, "/target"),
        ({"kind": "model_version", "target": "smol:²"}, "/target"),
        ({"kind": "user", "target": "ada"}, "/kind"),
        ({"kind": "integration"}, "/target"),
        ({"kind": "integration", "target": "foreign"}, "/target"),
    ],
)
def test_only_what_the_project_has_is_attached_to(
    with_key: ApiClient, policy: SecurityPolicy, body: dict[str, Any], field: str
) -> None:
    from tests.factories.integrations import IntegrationFactory

    IntegrationFactory(name="foreign")
    answer = with_key.refused(400, "POST", f"policies/{policy.pk}/attachments", body)
    assert answer["error_details"]["fields"][0]["path"] == field
    assert not PolicyAttachment.objects.exists()


def test_one_thing_has_a_bounded_number_of_policies(
    with_key: ApiClient, member: Membership, integration: Integration
) -> None:
    for number in range(11):
        made = with_key.ok("POST", "policies", {"name": f"p{number}", "rules": {}})
        answer = with_key.call(
            "POST", f"policies/{made['id']}/attachments", {"kind": "integration", "target": "crm"}
        )
        assert answer.status_code == (201 if number < 10 else 400)


def test_what_is_removed_takes_its_attachments_along(
    with_key: ApiClient, policy: SecurityPolicy, integration: Integration
) -> None:
    with_key.ok(
        "POST", f"policies/{policy.pk}/attachments", {"kind": "integration", "target": "crm"}
    )
    version = ModelVersionFactory(model__project=policy.project, model__name="smol", number=1)
    with_key.ok(
        "POST", f"policies/{policy.pk}/attachments", {"kind": "model_version", "target": "smol:1"}
    )
    remove_integration(actor=ACTOR, integration=integration)
    delete_model(actor=ACTOR, model=version.model)
    assert not PolicyAttachment.objects.exists()
    with_key.ok("DELETE", f"policies/{policy.pk}")


def test_policies_of_other_projects_are_not_there(
    stranger: ApiClient, policy: SecurityPolicy
) -> None:
    assert stranger.ok("GET", "policies")["results"] == []
    missing = stranger.refused(404, "GET", f"policies/{uuid4()}")["error"]
    for method, below, body in (
        ("GET", "", None),
        ("PATCH", "", {"description": "x"}),
        ("DELETE", "", None),
        ("POST", "/evaluate", {"data": {}}),
        ("GET", "/versions", None),
        ("GET", "/attachments", None),
        ("POST", "/attachments", {"kind": "integration", "target": "crm"}),
        ("DELETE", f"/attachments/{uuid4()}", None),
    ):
        answer = stranger.refused(404, method, f"policies/{policy.pk}{below}", body)
        assert answer["error"] == missing


@pytest.mark.parametrize("role", ["viewer", "developer", "operator"])
def test_only_admins_change_policies(policy: SecurityPolicy, role: str) -> None:
    membership = MembershipFactory(project=policy.project, role_name=role)
    client = ApiClient(api_key_for(membership))
    client.ok("GET", f"policies/{policy.pk}")
    client.ok("POST", f"policies/{policy.pk}/evaluate", {"data": {}})
    client.refused(403, "POST", "policies", BODY)
    client.refused(403, "PATCH", f"policies/{policy.pk}", {"rules": {}})
    client.refused(403, "DELETE", f"policies/{policy.pk}")
    client.refused(403, "POST", f"policies/{policy.pk}/attachments", {"kind": "x", "target": "y"})


def test_lists_ask_as_often_for_many_policies_as_for_few(
    with_key: ApiClient, policy: SecurityPolicy, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        with_key.ok("POST", "policies", {"name": f"p{number}", "rules": {}})
    for path in ("policies", f"policies/{policy.pk}/versions"):
        with_key.ok("GET", path)
        with django_assert_num_queries(2 if path == "policies" else 3):
            with_key.ok("GET", path)
