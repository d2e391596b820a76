"""The roles: who asks."""

from django.contrib.auth.models import Group
from django.test import Client

from authz.identity import keys, roles
from authz.identity.members import create_user, update_user
from authz.identity.service_accounts import create_service_account
from authz.ids import new_id
from authz.models import Membership, User
from tests.admin.world import ACTOR, PASSWORD
from tests.api_client import ApiClient
from tests.authz.matrix.places import Places
from tests.factories.authz import MembershipFactory

ROLES = (
    "anonymous", "viewer", "developer", "operator", "admin", "service", "revoked", "other",
    "superuser",
)  # fmt: skip
"""The columns. `service` is a service account in the role operator; `revoked` an admin whose key
was revoked, or in the admin a superuser who was deactivated; `other` an admin of another project,
who is no staff. `superuser` is one in the admin, and in the API the only member who is one."""


def api_client(role: str, places: Places) -> ApiClient:
    """Give a role's client of the API."""
    project = places.world.project
    match role:
        case "anonymous":
            return ApiClient()
        case "superuser":
            return ApiClient(places.world.key_text)
        case "service":
            return _with_key(_account(places))
        case "revoked":
            membership = MembershipFactory(project=project, role_name="admin")
            key, text = keys.create_api_key(
                actor=ACTOR, user=membership.user, project=project, name="lost"
            )
            keys.revoke_api_key(actor=ACTOR, key=key)
            return ApiClient(text)
        case "other":
            return _with_key(MembershipFactory(role_name="admin"))
    return _with_key(MembershipFactory(project=project, role_name=role))


def page_client(role: str, places: Places) -> Client:
    """Give a role's browser, logged in as far as the role can be."""
    client = Client(raise_request_exception=False)
    match role:
        case "anonymous":
            return client
        case "superuser":
            client.force_login(places.world.staff)
        case "service":
            client.force_login(_account(places).user)
        case "revoked":
            user = create_user(
                actor=ACTOR, username="gone", password=PASSWORD, is_staff=True, is_superuser=True
            )
            client.force_login(user)
            update_user(actor=ACTOR, user=user, changes={"is_active": False})
        case "other":
            client.force_login(MembershipFactory(role_name="admin").user)
        case _:
            client.force_login(_staff(role))
    return client


def _staff(role: str) -> User:
    groups = [Group.objects.get(name=role)]
    return create_user(
        actor=ACTOR, username=f"staff-{role}", password=PASSWORD, is_staff=True, groups=groups
    )


def _account(places: Places) -> Membership:
    return create_service_account(
        actor=ACTOR, project=places.world.project, username=f"machine-{new_id()}",
        owner=places.world.staff, role=roles.role_named("operator"), held=None,
    )  # fmt: skip


def _with_key(membership: Membership) -> ApiClient:
    _key, text = keys.create_api_key(
        actor=ACTOR, user=membership.user, project=membership.project, name="matrix"
    )
    return ApiClient(text)
