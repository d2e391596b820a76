"""Protected aliases and approvals: who may, and what must hold first."""

from collections.abc import Callable
from typing import Any

import pytest

from authz.audit.actor import Actor
from authz.models import AuditEvent, Project
from registry.catalog import protection
from registry.catalog.protection import protect_alias, register_gate
from registry.models import ApprovalRequest, ModelVersion
from registry.monitoring.performance import update_performance
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register

As = Callable[..., ApiClient]
CHAMPION = "registry/models/a/aliases/champion"
APPROVALS = "registry/models/a/versions/1/approvals"


@pytest.fixture
def as_(project: Project) -> As:
    def make(role: str, name: str = "") -> ApiClient:
        member = MembershipFactory(user__username=name or role, project=project, role_name=role)
        return ApiClient(api_key_for(member))

    return make


@pytest.fixture
def version(register: Register) -> ModelVersion:
    return register("a")


def protect(project: Project, actor: Actor, **fields: Any) -> None:
    values = {"requires_approval": False} | fields
    protect_alias(actor=actor, project=project, name="champion", **values)


def test_an_approval_from_request_to_move(
    version: ModelVersion, project: Project, actor: Actor, as_: As
) -> None:
    protect(project, actor, requires_approval=True)
    asking, answering = as_("operator", "ann"), as_("operator", "bob")
    refusal = asking.refused(409, "PUT", CHAMPION, {"version": 1})
    assert refusal["error_details"]["fields"][0]["path"] == "/gates/approval"
    request = asking.ok("POST", APPROVALS, {"alias": "champion", "comment": "please"})
    assert request["state"] == "PENDING"
    asking.refused(409, "POST", APPROVALS, {"alias": "champion"})
    path = f"registry/approvals/{request['id']}"
    asking.refused(403, "POST", f"{path}/approve", {})
    asking.refused(409, "PUT", CHAMPION, {"version": 1})
    answered = answering.ok("POST", f"{path}/approve", {"comment": "fine"})
    assert (answered["state"], answered["reviewed_by"]) == ("APPROVED", "bob")
    answering.refused(409, "POST", f"{path}/reject", {})
    assert asking.ok("PUT", CHAMPION, {"version": 1})["version"] == 1
    # A later rejection counts more than an earlier approval.
    second = asking.ok("POST", APPROVALS, {"alias": "champion"})
    answering.ok("POST", f"registry/approvals/{second['id']}/reject", {"comment": "no"})
    asking.ok("DELETE", CHAMPION)
    asking.refused(409, "PUT", CHAMPION, {"version": 1})
    actions = AuditEvent.objects.filter(object_type="approvalrequest").values_list(
        "action", flat=True
    )
    assert sorted(actions) == [
        "approvalrequest.approve", "approvalrequest.create", "approvalrequest.create",
        "approvalrequest.reject",
    ]  # fmt: skip


def test_approvals_are_listed_and_filtered(version: ModelVersion, as_: As) -> None:
    api = as_("operator")
    api.ok("POST", APPROVALS, {"alias": "champion"})
    assert (
        len(api.ok("GET", "registry/approvals?state=PENDING&model=a&alias=champion")["results"])
        == 1
    )
    assert api.ok("GET", "registry/approvals?state=APPROVED")["results"] == []
    one = api.ok("GET", "registry/approvals")["results"][0]
    assert api.ok("GET", f"registry/approvals/{one['id']}") == one
    api.refused(400, "GET", "registry/approvals?state=odd")


def test_a_developer_asks_and_does_not_answer(version: ModelVersion, as_: As) -> None:
    asked = as_("developer").ok("POST", APPROVALS, {"alias": "champion"})
    as_("viewer").refused(403, "POST", APPROVALS, {"alias": "champion"})
    as_("developer", "dora").refused(403, "POST", f"registry/approvals/{asked['id']}/approve", {})


def test_another_projects_approval_is_as_good_as_missing(
    version: ModelVersion, other_project: Project, as_: As
) -> None:
    asked = as_("operator").ok("POST", APPROVALS, {"alias": "champion"})
    member = MembershipFactory(project=other_project, role_name="admin")
    other = ApiClient(api_key_for(member))
    other.refused(404, "POST", f"registry/approvals/{asked['id']}/approve", {})
    assert ApprovalRequest.objects.get().state == "PENDING"


def test_only_movers_move(
    version: ModelVersion, register: Register, project: Project, actor: Actor, as_: As
) -> None:
    register("a")
    protect(project, actor, movers=["admin"])
    operator, admin = as_("operator"), as_("admin")
    operator.refused(403, "PUT", CHAMPION, {"version": 1})
    assert AuditEvent.objects.filter(outcome="denied").count() == 1
    admin.ok("PUT", CHAMPION, {"version": 1})
    admin.ok("PUT", CHAMPION, {"version": 2})
    operator.refused(403, "POST", f"{CHAMPION}/rollback", {})
    operator.refused(403, "DELETE", CHAMPION)
    assert admin.ok("POST", f"{CHAMPION}/rollback", {})["version"] == 1
    operator.ok("PUT", "registry/models/a/aliases/canary", {"version": 1})


def test_a_condition_on_metrics(
    version: ModelVersion, project: Project, actor: Actor, as_: As
) -> None:
    protect(project, actor, condition="metrics.accuracy >= 0.9 AND tags.suite IS NULL")
    api = as_("operator")
    for accuracy, status in ((None, 409), (0.8, 409), (0.95, 200)):
        if accuracy:
            update_performance(actor=actor, version=version, metrics={"accuracy": accuracy})
        assert api.call("PUT", CHAMPION, {"version": 1}).status_code == status


def test_a_version_that_is_not_ready_or_active(
    register: Register, project: Project, actor: Actor, as_: As
) -> None:
    register("a", status="PENDING_REGISTRATION")
    register("a", is_active=False)
    protect(project, actor)
    api = as_("operator")
    for number in (1, 2):
        refusal = api.refused(409, "PUT", CHAMPION, {"version": number})
        assert refusal["error_details"]["fields"][0]["path"] == "/gates/status"


def test_gates_of_other_rooms(
    version: ModelVersion, project: Project, actor: Actor, as_: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: dict[str, str | None] = {"suite": "The suite failed."}
    monkeypatch.setattr(protection, "_gates", dict(protection._gates))
    register_gate("suite", lambda version: answers["suite"])
    protect(project, actor, gates=["suite"])
    api = as_("operator")
    refusal = api.refused(409, "PUT", CHAMPION, {"version": 1})
    assert refusal["error_details"]["fields"] == [
        {"path": "/gates/suite", "code": "gate_closed", "message": "The suite failed."}
    ]
    answers["suite"] = None
    api.ok("PUT", CHAMPION, {"version": 1})
    api.ok("DELETE", CHAMPION)
    monkeypatch.setattr(protection, "_gates", {})
    assert "no gate called suite" in api.refused(409, "PUT", CHAMPION, {"version": 1})["error"]


def test_protections_over_the_api(version: ModelVersion, as_: As) -> None:
    admin, operator = as_("admin"), as_("operator")
    path = "registry/protected-aliases"
    body = {"name": "champion", "movers": ["admin"], "condition": "metrics.a > 1"}
    operator.refused(403, "POST", path, body)
    created = admin.ok("POST", path, body)
    assert created["requires_approval"] is True
    admin.refused(409, "POST", path, body)
    assert operator.ok("GET", path)["results"] == [created]
    changed = admin.ok("PATCH", f"{path}/champion", {"requires_approval": False})
    assert admin.ok("GET", f"{path}/champion") == changed
    admin.ok("DELETE", f"{path}/champion")
    admin.refused(404, "GET", f"{path}/champion")
    admin.refused(404, "DELETE", f"{path}/champion")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a b"}, "/name"),
        ({"name": "c", "movers": ["king"]}, "/movers"),
        ({"name": "c", "gates": ["none"]}, "/gates"),
        ({"name": "c", "condition": "metrics. > 1"}, "/condition"),
        ({"name": "c", "condition": "nothing = 1"}, "/condition"),
        ({"name": "c", "movers": "admin"}, "/movers"),
        ({"name": "c", "other": 1}, "/other"),
    ],
)
def test_odd_protections(as_: As, project: Project, body: dict[str, Any], field: str) -> None:
    envelope = as_("admin").refused(400, "POST", "registry/protected-aliases", body)
    assert envelope["error_details"]["fields"][0]["path"] == field
