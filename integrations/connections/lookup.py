"""Finding an integration for a call: by the caller's snapshot, which costs no query."""

from uuid import UUID

from authz.configuration.snapshot import Snapshot
from authz.secrets.keyring import SecretUnreadable
from integrations.connections.connection import Connection, connection_of
from integrations.models import Integration
from intmod_site.api.errors import NotFound, ServiceUnavailable


def find_connection(*, snapshot: Snapshot, project_id: UUID, name: str) -> Connection:
    """Give a project's integration by its name.

    Raises:
        NotFound: There is none.
        ServiceUnavailable: Its secret does not decrypt.
    """
    found = snapshot.get(("connection", project_id, name), lambda: _load(project_id, name))
    if found is None:
        raise NotFound("There is no such integration.")
    return found


def _load(project_id: UUID, name: str) -> Connection | None:
    integration = Integration.objects.in_project(project_id).filter(name=name).first()
    if integration is None:
        return None
    try:
        return connection_of(integration)
    except SecretUnreadable:
        raise ServiceUnavailable(
            f"The key of {name} does not decrypt; set it anew.", code="secret_unreadable"
        ) from None
