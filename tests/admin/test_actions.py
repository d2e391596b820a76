"""What is done to selected rows."""

from typing import Any

from django.db.models import Model
from django.test import Client

from authz.models import APIKey, AuditEvent, Session, User
from registry.models import ModelAlias, ModelVersion
from tests.admin.forms import url
from tests.admin.world import World, register


def act(client: Client, model: type[Model], action: str, *rows: Model) -> str:
    response: Any = client.post(
        url(model, "changelist"),
        {"action": action, "_selected_action": [str(row.pk) for row in rows]},
        follow=True,
    )
    assert response.status_code == 200
    return " ".join(str(message) for message in response.context["messages"])


def test_keys_are_revoked(world: World, staff: Client) -> None:
    assert act(staff, APIKey, "revoke", world.key) == "1 API key revoked."
    assert APIKey.objects.get().revoked_at is not None
    assert AuditEvent.objects.filter(action="apikey.revoke", actor_label="ada").count() == 1
    assert act(staff, APIKey, "revoke", world.key) == "0 API keys revoked."


def test_sessions_are_ended(world: World, staff: Client) -> None:
    assert act(staff, Session, "end", world.session) == "1 session ended."
    assert Session.objects.get().revoked_reason == "staff"


def test_versions_are_deactivated_and_activated(world: World, staff: Client) -> None:
    second = register(world.project, "smol")
    assert "2 model versions deactivated" in act(
        staff, ModelVersion, "deactivate", world.version, second
    )
    assert not ModelVersion.objects.filter(is_active=True).exists()
    act(staff, ModelVersion, "activate", second)
    assert ModelVersion.objects.get(is_active=True) == second


def test_a_version_becomes_default_and_champion(world: World, staff: Client) -> None:
    second = register(world.project, "smol")
    act(staff, ModelVersion, "make_default", second)
    act(staff, ModelVersion, "make_champion", second)
    assert set(ModelAlias.objects.values_list("name", "version__number")) == {
        ("default", 2),
        ("champion", 2),
    }
    told = act(staff, ModelVersion, "make_default", world.version, second)
    assert "one version of each model" in told
    assert ModelAlias.objects.get(name="default").version == second


def test_users_are_deactivated_but_not_oneself(world: World, staff: Client) -> None:
    bob = User.objects.create_user("bob", None)
    told = act(staff, User, "deactivate", bob, world.staff)
    assert "1 user deactivated." in told
    assert "lock yourself out" in told
    assert User.objects.get(is_active=False) == bob


def test_what_a_service_refuses_is_told_row_by_row(world: World, staff: Client) -> None:
    broken = register(world.project, "smol")
    ModelVersion.objects.filter(pk=broken.pk).update(tasks=["embed"], is_active=False)
    told = act(staff, ModelVersion, "activate", broken, world.version)
    assert "smol:2" in told
    assert "1 model version activated." in told
