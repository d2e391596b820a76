"""What a service refuses is said at the form; nothing is saved and nothing breaks."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from authz.models import APIKey, AuditEvent, User
from integrations.models import Integration
from registry.catalog.aliases import set_alias
from registry.models import ModelAlias, ModelVersion, RegisteredModel, TaskDefault
from tests.admin.forms import errors, shown, submit, url
from tests.admin.world import ACTOR, World, register


@pytest.mark.parametrize(
    ("which", "fields", "field"),
    [
        ("integration", {"base_url": "ftp://crm.example.com"}, "base_url"),
        ("integration", {"headers": '{"Authorization": "x"}'}, "headers"),
        ("integration", {"headers": "no json"}, "headers"),
        ("integration", {"new_api_key": "new", "remove_api_key": "on"}, "remove_api_key"),
        ("version", {"tasks": ["embed"]}, "tasks"),
        ("version", {"parameters": '{"temperature": 3}'}, "parameters"),
        ("version", {"tags": '{"a": 1}'}, "tags"),
        ("version", {"source": "elsewhere"}, "__all__"),
        ("model", {"tags": "[1]"}, "tags"),
        ("project", {"slug": "No Good"}, "slug"),
        ("staff", {"new_password": "short", "repeat_password": "short"}, "new_password"),
        ("staff", {"new_password": "one of two 77"}, "repeat_password"),
        ("key", {"expires_at_0": "2001-01-01", "expires_at_1": "00:00:00"}, "expires_at"),
    ],
)
def test_a_refused_change_is_explained(
    which: str, fields: dict[str, Any], field: str, world: World, staff: Client
) -> None:
    obj = getattr(world, which)
    before = type(obj)._default_manager.filter(pk=obj.pk).values().get()
    events = AuditEvent.objects.count()
    found = errors(submit(staff, obj, **fields))
    assert set(found) == {field}
    assert type(obj)._default_manager.filter(pk=obj.pk).values().get() == before
    assert AuditEvent.objects.count() == events


def test_names_that_are_taken(world: World, staff: Client) -> None:
    project = world.project.pk
    assert errors(
        submit(staff, RegisteredModel, name="smol", model_type="llm", project=project)
    ) == {"__all__": ["There is a model called smol already."]}
    assert errors(
        submit(staff, Integration, name="crm", base_url="https://a.example.com", project=project)
    )
    assert "username" in errors(submit(staff, User, username="ADA"))
    assert "name" in errors(submit(staff, ModelAlias, name="champion", version=world.version.pk))
    assert "task" in errors(submit(staff, TaskDefault, task="chat", model=world.model.pk))
    taken = {"model": world.model.pk, "provider": "local", "provider_model": "x"}
    assert errors(submit(staff, ModelVersion, **taken, identifier="smol-1"))


def test_a_renamed_integration_may_not_take_anothers_name(world: World, staff: Client) -> None:
    Integration.objects.create(project=world.project, name="erp", base_url="https://e.example.com")
    assert errors(submit(staff, world.integration, name="erp"))
    world.integration.refresh_from_db()
    assert world.integration.name == "crm"


def test_an_alias_that_was_moved_meanwhile_stays(world: World, staff: Client) -> None:
    second, third = register(world.project, "smol"), register(world.project, "smol")
    page = shown(staff.get(url(world.alias, "change")))
    set_alias(actor=ACTOR, model=world.model, name="champion", version=second.number)
    response = staff.post(url(world.alias, "change"), page | {"version": third.pk})
    assert errors(response) == {"__all__": ["champion points at version 2, not 1."]}


def test_keys_are_for_members(world: World, staff: Client) -> None:
    bob = User.objects.create_user("bob", None)
    found = errors(submit(staff, APIKey, user=bob.pk, project=world.project.pk, name="k"))
    assert found == {"user": ["bob is not a member of shop."]}


def test_nobody_locks_themselves_out(world: World, staff: Client) -> None:
    page = shown(staff.get(url(world.staff, "change")))
    del page["is_active"]
    assert "lock yourself out" in str(errors(staff.post(url(world.staff, "change"), page)))


def test_what_is_in_use_is_not_deleted(world: World, staff: Client) -> None:
    ModelVersion.objects.update(integration=world.integration)
    response = staff.post(url(world.integration, "delete"), {"post": "yes"}, follow=True)
    assert response.redirect_chain[0][0] == url(world.integration, "change")
    assert "is in use" in response.content.decode()
    admin = Group.objects.get(name="admin")
    response = staff.post(url(admin, "delete"), {"post": "yes"}, follow=True)
    assert "comes with the product" in response.content.decode()
    role = Group.objects.create(name="mine")
    world.membership.role = role
    world.membership.save()
    response = staff.post(url(role, "delete"), {"post": "yes"}, follow=True)
    assert "Members have the role mine" in response.content.decode()
