"""Whatever staff change goes through the services: recorded, and in force at the next call."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.test import Client

from authz.configuration.revision import read_revision
from authz.models import AuditEvent, Membership, Project, User
from integrations.models import Integration
from registry.models import ModelAlias, ModelVersion, RegisteredModel, Route, TaskDefault
from tests.admin.forms import submit, url
from tests.admin.world import PASSWORD, World, register


def last_event() -> AuditEvent:
    event = AuditEvent.objects.first()
    assert event is not None
    return event


def saved(response: Any, action: str) -> AuditEvent:
    """Check that a form was saved and recorded, and give the event."""
    if response.status_code == 200:
        raise AssertionError(response.context["adminform"].form.errors)
    event = last_event()
    assert (event.action, event.actor_label, event.credential) == (action, "ada", "admin")
    assert not LogEntry.objects.exists()
    return event


@pytest.mark.parametrize(
    ("model", "fields", "action"),
    [
        (Project, {"slug": "bank", "name": "Bank"}, "project.create"),
        (Group, {"name": "auditor"}, "group.create"),
        (User, {"username": "Bob"}, "user.create"),
        (
            RegisteredModel,
            {"name": "b", "model_type": "llm", "project": ...},
            "registeredmodel.create",
        ),
        (
            Integration,
            {"name": "erp", "base_url": "https://erp.example.com", "project": ...},
            "integration.create",
        ),
    ],
)  # fmt: skip
def test_creating(
    model: type[Model], fields: dict[str, Any], action: str, world: World, staff: Client
) -> None:
    filled = {key: world.project.pk if value is ... else value for key, value in fields.items()}
    event = saved(submit(staff, model, **filled), action)
    assert model._default_manager.filter(pk=event.object_id).exists()


@pytest.mark.parametrize(
    ("which", "fields", "action", "moves"),
    [
        ("project", {"name": "Shop 2"}, "project.update", False),
        ("staff", {"full_name": "Ada L."}, "user.update", False),
        ("key", {"name": "backend"}, "apikey.update", False),
        ("integration", {"timeout_s": "12"}, "integration.update", True),
        ("model", {"description": "small"}, "registeredmodel.update", True),
        ("version", {"label": "2.0"}, "modelversion.update", True),
    ],
)
def test_changing(
    which: str, fields: dict[str, Any], action: str, moves: bool, world: World, staff: Client
) -> None:
    obj = getattr(world, which)
    before = read_revision()
    event = saved(submit(staff, obj, **fields), action)
    assert set(event.changes) - {"updated_at"} == set(fields)
    assert event.object_id == str(obj.pk)
    assert (read_revision() > before) == moves
    history = staff.get(url(obj, "history")).content.decode()
    assert action in history
    assert next(iter(fields)) in history


def test_a_version_is_created_with_prices_and_limits(world: World, staff: Client) -> None:
    response = submit(
        staff,
        ModelVersion,
        model=world.model.pk,
        provider="local",
        provider_model="smollm2-135m-instruct",
        tasks=["chat"],
        max_tokens_limit="100",
        input_usd_per_mtok="0.15",
    )
    saved(response, "modelversion.create")
    version = ModelVersion.objects.get(number=2)
    assert version.identifier == "smol-2"
    assert version.limits == {"max_tokens": 100}
    assert version.prices == {"input_usd_per_mtok": "0.15"}
    event = saved(submit(staff, version, output_usd_per_mtok="3"), "modelversion.update")
    version.refresh_from_db()
    assert version.prices == {"input_usd_per_mtok": "0.15", "output_usd_per_mtok": "3"}
    assert "limits" not in event.changes


def test_a_route_is_created_changed_and_deleted(world: World, staff: Client) -> None:
    targets = '[{"model": "smol", "weight": 3}, {"model": "smol:1"}]'
    created = saved(
        submit(staff, Route, project=world.project.pk, name="fast", targets=targets),
        "route.create",
    )
    assert created.object_label == "fast"
    saved(submit(staff, world.route, strategy="order"), "route.update")
    world.route.refresh_from_db()
    assert world.route.strategy == "order"
    saved(staff.post(url(world.route, "delete"), {"post": "yes"}), "route.delete")
    assert not Route.objects.filter(pk=world.route.pk).exists()


def test_an_alias_is_created_moved_and_removed(world: World, staff: Client) -> None:
    second = register(world.project, "smol")
    saved(submit(staff, ModelAlias, name="canary", version=second.pk), "modelalias.set")
    event = saved(submit(staff, world.alias, version=second.pk, reason="better"), "modelalias.set")
    assert event.changes["reason"] == [None, "better"]
    world.alias.refresh_from_db()
    assert world.alias.version == second
    saved(staff.post(url(world.alias, "delete"), {"post": "yes"}), "modelalias.delete")
    assert not ModelAlias.objects.filter(pk=world.alias.pk).exists()


def test_a_default_is_set_changed_and_removed(world: World, staff: Client) -> None:
    other = register(world.project, "other").model
    saved(submit(staff, TaskDefault, task="generate", model=other.pk), "taskdefault.set")
    saved(submit(staff, world.default, model=other.pk), "taskdefault.set")
    world.default.refresh_from_db()
    assert world.default.model == other
    saved(staff.post(url(world.default, "delete"), {"post": "yes"}), "taskdefault.delete")
    assert not TaskDefault.objects.filter(task="chat").exists()


def test_a_membership_is_created_changed_and_ended(world: World, staff: Client) -> None:
    project = Project.objects.create(slug="bank", name="Bank")
    viewer = Group.objects.get(name="viewer")
    extra = Permission.objects.get(codename="invoke_modelversion")
    response = submit(
        staff,
        Membership,
        user=world.staff.pk,
        project=project.pk,
        role=viewer.pk,
        extra_permissions=[extra.pk],
    )
    event = saved(response, "membership.update")
    assert event.changes == {"extra_permissions": [[], ["registry.invoke_modelversion"]]}
    membership = Membership.objects.get(project=project)
    saved(submit(staff, membership, extra_permissions=[]), "membership.update")
    assert not membership.extra_permissions.exists()
    saved(staff.post(url(membership, "delete"), {"post": "yes"}), "membership.delete")
    assert not Membership.objects.filter(project=project).exists()


def test_a_roles_permissions_are_changed(world: World, staff: Client) -> None:
    role = Group.objects.get(name="viewer")
    before = read_revision()
    event = saved(submit(staff, role, permissions=[]), "group.update")
    assert event.changes["permissions"][1] == []
    assert read_revision() > before


def test_a_password_is_changed_and_ends_sessions(world: World, staff: Client) -> None:
    bob = User.objects.create_user("bob", PASSWORD)
    new = {"new_password": "another good one 7", "repeat_password": "another good one 7"}
    event = saved(submit(staff, bob, **new), "user.update")
    assert set(event.changes) == {"credential_epoch", "password"}
    bob.refresh_from_db()
    assert bob.check_password("another good one 7")


def test_ones_own_password_is_changed_and_recorded(world: World, staff: Client) -> None:
    new = "another good one 7"
    response = staff.post(
        "/admin/password_change/",
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
    )
    assert response.status_code == 302, response.context["form"].errors
    assert last_event().action == "user.update"
    assert staff.get("/admin/").status_code == 200


def test_deleting_a_model_takes_its_versions_along(world: World, staff: Client) -> None:
    page = staff.get(url(world.model, "delete")).content.decode()
    assert "versions: 1" in " ".join(page.split()).replace("Versions", "versions")
    saved(staff.post(url(world.model, "delete"), {"post": "yes"}), "registeredmodel.delete")
    assert staff.get(url(world.model, "change")).status_code == 302
    saved(
        submit(staff, RegisteredModel, name="smol", model_type="llm", project=world.project.pk),
        "registeredmodel.create",
    )
