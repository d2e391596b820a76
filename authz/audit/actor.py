"""Who did something, as the audit log remembers it."""

from dataclasses import dataclass
from typing import Self

from django.http import HttpRequest

from authz.models.users import User
from intmod_site.client_address import client_address


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that changes things.

    Args:
        kind: human, service, command or system.
        id: The user's id, where there is a user.
        label: Name as it was at the time.
        credential: What was presented, such as `api_key:<public id>`; never a secret.
        address: Where the request came from.
    """

    kind: str
    label: str
    id: str = ""
    credential: str = ""
    address: str | None = None

    @classmethod
    def staff(cls, request: HttpRequest) -> Self:
        """The staff member who works in the admin."""
        user = request.user
        assert isinstance(user, User)  # noqa: S101 -- the admin lets nobody else in
        return cls(
            kind=user.kind,
            label=user.username,
            id=str(user.pk),
            credential="admin",
            address=client_address(request),
        )

    @classmethod
    def command(cls, name: str) -> Self:
        """A management command, run by whoever has the machine."""
        return cls(kind="command", label=f"manage.py {name}")


SYSTEM = Actor(kind="system", label="intmod")
