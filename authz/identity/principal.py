"""The caller of a request, as everything behind the credential check sees it."""

from collections.abc import Set as AbstractSet
from typing import ClassVar
from uuid import UUID

import msgspec
from django.contrib.auth.models import Permission

from authz.audit.actor import Actor
from authz.configuration.snapshot import Snapshot
from authz.models.projects import Membership, Project
from intmod_site.api.errors import PermissionDenied
from intmod_site.prepared import Prepared


class Principal(msgspec.Struct, frozen=True):
    """A user acting in a project through a credential.

    Effective permissions are those of the membership, narrowed by the credential's scopes.
    """

    user_id: UUID
    label: str
    kind: str
    project_id: UUID
    project_slug: str
    membership_id: UUID
    role_id: int
    credential: str
    credential_id: UUID
    scopes: frozenset[str]
    snapshot: Snapshot
    address: str | None = None
    text_hash: str = ""
    """Keyed hash of the API key's text that was sent; empty for tokens."""

    is_authenticated: ClassVar[bool] = True

    @property
    def pk(self) -> UUID:
        """What DRF's throttles and caches know a user by."""
        return self.user_id

    @property
    def permissions(self) -> AbstractSet[str]:
        """The effective permissions, as `app_label.codename`."""
        granted = self.snapshot.get(
            ("permissions", self.membership_id, self.role_id),
            lambda: permissions_of(self.membership_id, self.role_id),
        )
        return granted & self.scopes if self.scopes else granted

    def has(self, permission: str) -> bool:
        """Whether the caller may do what needs `permission`."""
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Go on only with the permission.

        Raises:
            PermissionDenied: Naming what is missing.
        """
        if not self.has(permission):
            raise PermissionDenied(f"This needs the permission {permission}.")

    @property
    def actor(self) -> Actor:
        """The caller as the audit log remembers it."""
        return Actor(
            kind=self.kind,
            label=self.label,
            id=str(self.user_id),
            credential=self.credential,
            address=self.address,
        )

    @property
    def project(self) -> Project:
        """The project, for foreign keys and labels; not read from the database."""
        return Project(pk=self.project_id, slug=self.project_slug)


def permissions_of(membership_id: UUID, role_id: int) -> frozenset[str]:
    """Give the permissions of a role and a membership's own, as `app_label.codename`."""
    rows = _OF_ROLE.rows(role=role_id) + _EXTRA.rows(membership=membership_id)
    return frozenset(f"{app}.{codename}" for app, codename in rows)


_NAMES = ("content_type__app_label", "codename")
# Prepared: they are asked anew whenever the configuration moves.
_OF_ROLE = Prepared(
    lambda role: Permission.objects.order_by().filter(group=role).values_list(*_NAMES)
)
_EXTRA = Prepared(
    lambda membership: Membership.extra_permissions.through.objects.filter(
        membership=membership
    ).values_list(*(f"permission__{name}" for name in _NAMES)),
)
