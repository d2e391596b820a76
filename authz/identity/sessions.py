"""Logging in, staying logged in, logging out."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError

from authz.audit.actor import Actor
from authz.audit.record import record_change, record_denial
from authz.identity.login_tries import begin_try, note_success
from authz.identity.principal import permissions_of
from authz.identity.scopes import checked_scopes
from authz.identity.tokens import AccessToken, RefreshToken, SessionToken
from authz.models.credentials import Session
from authz.models.projects import Membership
from authz.models.users import User
from intmod_site.api.errors import NotAuthenticated, TooManyRequests, ValidationFailed


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a login or refresh gives."""

    access: str
    refresh: str
    expires_in: int
    project: str
    permissions: list[str]


def log_in(
    *,
    username: str,
    password: str,
    project: str | None = None,
    scopes: list[str] | None = None,
    expires_in: int | None = None,
    address: str | None = None,
) -> TokenPair:
    """Begin a session in one project.

    Args:
        username, password: As the person types them.
        project: Slug; may be left out by members of exactly one project.
        scopes: Permissions that the tokens keep; None keeps all.
        expires_in: Seconds that each access token lives, up to the setting's maximum.
        address: Where the login comes from.

    Raises:
        NotAuthenticated: Name and password do not belong together; recorded.
        TooManyRequests: They were tried too often; recorded.
        ValidationFailed: Project, scopes or lifetime cannot be given.
    """
    user = _verified_user(username, password, address)
    membership = _chosen_membership(user, project)
    return begin_session(
        user=user, membership=membership, scopes=scopes, expires_in=expires_in, address=address
    )


def begin_session(
    *,
    user: User,
    membership: Membership,
    scopes: list[str] | None = None,
    expires_in: int | None = None,
    address: str | None = None,
    actor: Actor | None = None,
) -> TokenPair:
    """Begin a session for somebody whose identity is sure.

    Args:
        user, membership: Whom it makes the caller, and where.
        scopes: Permissions that the tokens keep; None or empty keeps all.
        expires_in: Seconds that each access token lives, up to the setting's maximum.
        address: Where the login comes from.
        actor: Who begins it; the user themselves by default.

    Raises:
        ValidationFailed: Scopes or lifetime cannot be given.
    """
    lifetime_s = _checked_lifetime(expires_in)
    kept = checked_scopes(scopes or [], held=permissions_of(membership.pk, membership.role_id))
    with transaction.atomic():
        session = Session.objects.create(
            user=user,
            project=membership.project,
            scopes=kept,
            credential_epoch=user.credential_epoch,
            refresh_jti=uuid4(),
            access_lifetime_s=lifetime_s,
            expires_at=timezone.now() + timedelta(seconds=settings.REFRESH_TOKEN_LIFETIME_S),
            address=address,
        )
        record_change(
            actor=actor or _actor(session),
            action="session.create",
            obj=session,
            project=membership.project,
        )
    return _pair(session, membership)


def refresh(*, token: str, address: str | None = None) -> TokenPair:
    """Exchange a refresh token for a new pair; each counts once.

    The exchange is one conditional UPDATE: of concurrent ones exactly one succeeds. A token that
    comes back after its exchange may be stolen, so the whole session ends (RFC 9700, 4.14.2).

    Raises:
        NotAuthenticated: The token does not count, or not any more.
    """
    try:
        presented = RefreshToken(token)  # type: ignore[arg-type]
        session_id, token_id = presented.session_id, presented.token_id
    except TokenError:
        raise _refusal() from None
    found = _counting(session_id)
    if found is None:
        raise _refusal()
    session, membership = found
    next_id = uuid4()
    now = timezone.now()
    rotated = Session.objects.filter(pk=session_id, refresh_jti=token_id, revoked_at=None).update(
        refresh_jti=next_id, refreshed_at=now
    )
    if not rotated:
        _end_for_reuse(session, address)
        raise _refusal()
    session.refresh_jti = next_id
    return _pair(session, membership)


def revoke(*, token: str, actor: Actor | None = None) -> bool:
    """End the session that an access or refresh token belongs to; its holder may always do so.

    Returns:
        Whether there was a session to end. Unknown tokens are no error (RFC 7009, 2.2).
    """
    found = _session_of(token)
    if found is None:
        return False
    session = Session.objects.select_related("user", "project").filter(pk=found).first()
    return session is not None and end_session(
        session=session, actor=actor or _actor(session), reason="revoked"
    )


def end_session(*, session: Session, actor: Actor, reason: str) -> bool:
    """End a session: the very next request with one of its tokens is refused."""
    with transaction.atomic():
        ended = Session.objects.filter(pk=session.pk, revoked_at=None).update(
            revoked_at=timezone.now(), revoked_reason=reason
        )
        if ended:
            record_change(
                actor=actor,
                action="session.revoke",
                obj=session,
                project=session.project,
                after={"reason": reason},
            )
    return bool(ended)


def inspect(*, token: str) -> dict[str, object]:
    """Say whether an access or refresh token counts now, and what it claims (RFC 7662)."""
    for kind in (AccessToken, RefreshToken):
        try:
            parsed = kind(token)  # type: ignore[arg-type]
            found, token_id = _counting(parsed.session_id), parsed.token_id
        except TokenError:
            continue
        if found and (kind is AccessToken or found[0].refresh_jti == token_id):
            return {"active": True, "claims": dict(parsed.payload)}
    return {"active": False, "claims": None}


def _counting(session_id: UUID) -> tuple[Session, Membership] | None:
    """Give a session that still counts, with its user's membership."""
    session = (
        Session.objects.live()
        .filter(
            pk=session_id,
            user__is_active=True,
            user__credential_epoch=F("credential_epoch"),
            project__is_active=True,
        )
        .select_related("user", "project")
        .first()
    )
    if session is None:
        return None
    membership = Membership.objects.of(user=session.user, project=session.project)
    return (session, membership) if membership else None


def _session_of(token: str) -> UUID | None:
    for kind in (AccessToken, RefreshToken):
        try:
            return kind(token).session_id  # type: ignore[arg-type]
        except TokenError:
            continue
    return None


def _verified_user(username: str, password: str, address: str | None) -> User:
    def refused(reason: str) -> None:
        record_denial(
            actor=Actor(kind="anonymous", label=username[:150], address=address),
            action="session.create",
            project=None,
            reason=reason,
        )

    try:
        begin_try(username=username, address=address)
    except TooManyRequests:
        refused("too many tries")
        raise
    user = User.objects.filter(username=username).first()
    if user is None:
        make_password(password)  # as slow as checking one, so that names cannot be told by time
    elif user.check_password(password) and user.is_active:
        note_success(username=username, address=address)
        # The epoch stays the one that was read with the hash: with a newer one, a login that was
        # overtaken by a change of the password would outlive it.
        return user
    refused("name and password do not belong together")
    raise NotAuthenticated("Name and password do not belong together.")


def _chosen_membership(user: User, slug: str | None) -> Membership:
    memberships = user.memberships.filter(project__is_active=True).select_related("project")
    if slug is not None:
        chosen = memberships.filter(project__slug=slug).first()
        if chosen is None:
            raise ValidationFailed.of("project", "You are not a member of this project.")
        return chosen
    found = list(memberships[:2])
    if not found:
        raise ValidationFailed.of("project", "You are not a member of any project yet.")
    if len(found) > 1:
        raise ValidationFailed.of(
            "project", "You are a member of several projects; name one.", code="required"
        )
    return found[0]


def _checked_lifetime(expires_in: int | None) -> int:
    if expires_in is None:
        return int(settings.ACCESS_TOKEN_LIFETIME_S)
    if not 1 <= expires_in <= settings.ACCESS_TOKEN_MAX_LIFETIME_S:
        raise ValidationFailed.of(
            "expires_in", f"1 to {settings.ACCESS_TOKEN_MAX_LIFETIME_S} seconds."
        )
    return expires_in


def _pair(session: Session, membership: Membership) -> TokenPair:
    held = permissions_of(membership.pk, membership.role_id)
    effective = sorted(held & frozenset(session.scopes) if session.scopes else held)
    access = _token(AccessToken, session)
    access.set_exp(lifetime=timedelta(seconds=session.access_lifetime_s))
    # A hint for clients; what counts is asked of the database at every request.
    access["permissions"] = effective
    refresh_token = _token(RefreshToken, session)
    refresh_token["jti"] = str(session.refresh_jti)
    return TokenPair(
        access=str(access),
        refresh=str(refresh_token),
        expires_in=session.access_lifetime_s,
        project=session.project.slug,
        permissions=effective,
    )


def _token(kind: type[SessionToken], session: Session) -> SessionToken:
    token = kind()
    token["sub"] = str(session.user_id)
    token["sid"] = str(session.pk)
    token["project"] = session.project.slug
    return token


def _end_for_reuse(session: Session, address: str | None) -> None:
    actor = Actor(
        kind="anonymous", label=session.user.username, id=str(session.user_id), address=address
    )
    if end_session(session=session, actor=actor, reason="refresh_reused"):
        record_denial(
            actor=actor,
            action="session.refresh",
            project=session.project,
            reason="refresh token reused",
        )


def _actor(session: Session) -> Actor:
    return Actor(
        kind=session.user.kind,
        label=session.user.username,
        id=str(session.user_id),
        credential=f"session:{session.pk}",
        address=session.address,
    )


def _refusal() -> NotAuthenticated:
    return NotAuthenticated("The refresh token is unknown, expired, used or revoked.")
