"""Staff who are no superusers cannot make themselves more than they are."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from authz.models import APIKey, AuditEvent, Membership, User
from tests.admin.forms import errors, shown, submit, url
from tests.admin.world import PASSWORD, World
from tests.factories.authz import MembershipFactory, UserFactory


@pytest.fixture
def clerk(world: World) -> Client:
    """Staff who manage users, roles and memberships, and hold little else."""
    role = Group.objects.create(name="clerk")
    role.permissions.set(
        Permission.objects.filter(
            codename__in=[
                "view_user", "change_user", "add_user", "view_group", "change_group", "add_group",
                "view_membership", "change_membership", "view_registeredmodel",
                "delete_membership", "view_apikey", "add_apikey", "change_apikey", "view_project",
            ]
        )
    )  # fmt: skip
    user = User.objects.create_user("clerk", PASSWORD, is_staff=True)
    user.groups.add(role)
    client = Client()
    client.force_login(user)
    return client


def test_only_superusers_hand_out_powers(clerk: Client) -> None:
    me = User.objects.get(username="clerk")
    page = shown(clerk.get(url(me, "change")))
    assert not {"is_staff", "is_superuser", "groups"} & set(page)
    sent = page | {"is_superuser": "on", "groups": [Group.objects.get(name="admin").pk]}
    assert clerk.post(url(me, "change"), sent).status_code == 302
    me.refresh_from_db()
    assert not me.is_superuser
    assert me.groups.get().name == "clerk"


def test_only_superusers_change_superusers(world: World, clerk: Client) -> None:
    assert clerk.get(url(world.staff, "change")).status_code == 200
    assert clerk.post(url(world.staff, "change"), {"new_password": "x"}).status_code == 403
    clerk.post(
        url(User, "changelist"),
        {"action": "deactivate", "_selected_action": [str(world.staff.pk)]},
    )
    world.staff.refresh_from_db()
    assert world.staff.is_active


def test_nobody_grants_what_they_do_not_hold(world: World, clerk: Client) -> None:
    role = Group.objects.get(name="clerk")
    wanted = Permission.objects.get(codename="delete_project")
    held = [permission.pk for permission in role.permissions.all()]
    found = errors(submit(clerk, role, permissions=[*held, wanted.pk]))
    assert "authz.delete_project" in str(found)
    weak = MembershipFactory(role=Group.objects.create(name="empty"))
    found = errors(submit(clerk, weak, extra_permissions=[wanted.pk]))
    assert "authz.delete_project" in str(found)
    found = errors(submit(clerk, weak, role=Group.objects.get(name="viewer").pk))
    assert "You do not hold" in str(found)
    assert submit(clerk, role, permissions=held[:-1]).status_code == 302


def test_nobody_changes_who_can_do_more(world: World, clerk: Client) -> None:
    found = errors(submit(clerk, world.membership, role=Group.objects.get(name="viewer").pk))
    assert "ada can do what you may not" in str(found)
    clerk.post(url(world.membership, "delete"), {"post": "yes"})
    assert Membership.objects.get(pk=world.membership.pk).role.name == "admin"


def test_nobody_issues_a_key_to_do_more(world: World, clerk: Client) -> None:
    ada = {"user": world.staff.pk, "project": world.project.pk, "name": "mine"}
    found = errors(clerk.post(url(APIKey, "add"), ada))
    assert "ada can do what you may not" in str(found)
    found = errors(clerk.post(url(APIKey, "add"), ada | {"scopes": ["authz.add_project"]}))
    assert "You do not hold the permission authz.add_project" in str(found)
    assert "can do what you may not" in str(errors(submit(clerk, world.key, name="mine")))
    assert not APIKey.objects.filter(name="mine").exists()


def test_nobody_sets_the_password_of_who_can_do_more(world: World, clerk: Client) -> None:
    new = {"new_password": "mine mine mine", "repeat_password": "mine mine mine"}
    strong = MembershipFactory(role_name="viewer").user
    assert "can do what you may not" in str(errors(submit(clerk, strong, **new)))
    staff = User.objects.create_user("dean", PASSWORD, is_staff=True)
    staff.groups.add(Group.objects.get(name="viewer"))
    assert "You do not hold" in str(errors(submit(clerk, staff, **new)))
    weak = UserFactory()
    assert submit(clerk, weak, **new).status_code == 302
    for user, changed in ((strong, False), (staff, False), (weak, True)):
        user.refresh_from_db()
        assert user.check_password("mine mine mine") is changed


def test_the_overview_needs_the_permission_to_see_calls(world: World, clerk: Client) -> None:
    page = clerk.get("/admin/").content.decode()
    assert "chart" not in page
    assert "Registered models" in page


def test_logging_in_is_recorded_either_way(world: World) -> None:
    client = Client()
    client.post("/admin/login/", {"username": "ada", "password": "wrong"})
    denied = AuditEvent.objects.first()
    assert denied is not None
    assert (denied.action, denied.outcome, denied.actor_label) == ("admin.login", "denied", "ada")
    client.post("/admin/login/", {"username": "ada", "password": PASSWORD})
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.outcome, event.actor_kind) == ("admin.login", "success", "human")
