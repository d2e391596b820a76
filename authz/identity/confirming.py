"""Asking somebody who is logged in for their password once more."""

from authz.audit.actor import Actor
from authz.audit.record import record_denial
from authz.identity.login_tries import begin_try, note_success
from authz.models.users import User
from intmod_site.api.errors import NotAuthenticated, TooManyRequests


def confirm_password(*, user: User, password: str, address: str | None) -> None:
    """Make sure that it is still the user who sits there; tries count as those of logins.

    Args:
        user: Who is logged in.
        password: What was typed.
        address: Where.

    Raises:
        NotAuthenticated: It is another password; recorded.
        TooManyRequests: There were too many tries; recorded.
    """

    def refused(reason: str) -> None:
        record_denial(
            actor=Actor(
                kind=user.kind, label=user.username, id=str(user.pk), credential="admin",
                address=address,
            ),
            action="admin.confirm",
            project=None,
            reason=reason,
        )  # fmt: skip

    try:
        begin_try(username=user.username, address=address)
    except TooManyRequests:
        refused("too many tries")
        raise
    if not user.check_password(password):
        refused("another password")
        raise NotAuthenticated("That is not your password.")
    note_success(username=user.username, address=address)
