"""Issuing, changing, rotating and revoking API keys."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.identity import api_key
from authz.identity.grants import check_reach
from authz.identity.key_bounds import Bounds
from authz.identity.networks import checked_cidrs
from authz.identity.principal import permissions_of
from authz.identity.scopes import checked_scopes
from authz.models.credentials import APIKey
from authz.models.projects import Membership, Project
from authz.models.users import User
from intmod_site.api.errors import Conflict, PermissionDenied, ValidationFailed

MAX_GRACE_S = 7 * 86_400
DEFAULT_GRACE_S = 3600
UNBOUND = Bounds()


def create_api_key(
    *,
    actor: Actor,
    user: User,
    project: Project,
    name: str,
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
    allowed_cidrs: list[str] | None = None,
    within: Bounds = UNBOUND,
    held: frozenset[str] | None = None,
) -> tuple[APIKey, str]:
    """Issue a key to a member of a project.

    Args:
        actor: Who issues it.
        user, project: Whom it makes the caller, and where.
        name: What people know it by.
        scopes: Permissions that it keeps; None or empty keeps all of the user's.
        expires_at: When it ends by itself; None for as long as the issuer's own key.
        allowed_cidrs: Networks that it counts from; None or empty for everywhere.
        within: What the issuer's own key is confined to: the new one stays within it.
        held: What the issuer holds; None for superusers and the machine, who hold everything.

    Returns:
        The row, and the key's text, which is not stored and cannot be shown again.

    Raises:
        PermissionDenied: Without scopes the key could do what the issuer may not.
        ValidationFailed: The user is no member, a scope is not held, a network is odd or out of
            bounds, or the expiry has passed or is out of bounds.
    """
    membership = Membership.objects.of(user=user, project=project)
    if membership is None:
        raise ValidationFailed.of("user", f"{user} is not a member of {project}.")
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationFailed.of("expires_at", "This moment has passed.")
    own = permissions_of(membership.pk, membership.role_id)
    reach = own if held is None else own & held
    if not scopes and within.scopes:  # a key without scopes would grow with its user
        scopes = sorted(reach)
        if not scopes:
            raise ValidationFailed.of("scopes", "There is nothing that you both may do.")
    kept = checked_scopes(scopes or [], held=reach)
    if not kept:
        check_reach(membership, held)
    networks = checked_cidrs(allowed_cidrs or [], within=list(within.cidrs))
    expires_at = within.checked_expiry(expires_at)
    text = api_key.generate()
    with transaction.atomic():
        key = APIKey.objects.create(
            user=user,
            project=project,
            name=name,
            public_id=text.public_id,
            secret_hash=api_key.secret_hash(text),
            scopes=kept,
            allowed_cidrs=networks,
            expires_at=expires_at,
        )
        record_change(
            actor=actor, action="apikey.create", obj=key, project=project, after=state_of(key)
        )
    return key, str(text)


def update_api_key(
    *,
    actor: Actor,
    key: APIKey,
    held: frozenset[str],
    changes: dict[str, Any],
    within: Bounds = UNBOUND,
) -> APIKey:
    """Rename a key, or change its scopes, networks or expiry.

    Args:
        actor: Who changes it.
        key: The key.
        held: What the caller may hand out.
        changes: `name`, `scopes`, `allowed_cidrs`, `expires_at`; empty scopes keep all of the
            key's user.
        within: What the caller's own key is confined to: this one stays within it.

    Raises:
        PermissionDenied: The key can do more than the caller, or would change its own limits.
        ValidationFailed: A scope is not held, a network is odd, or the expiry has passed or is
            later than the caller's.
    """
    _check_may_change(actor, key, held, changes)
    before = state_of(key)
    if "scopes" in changes:
        kept = checked_scopes(changes["scopes"], held=held)
        if not kept and within.scopes:
            raise ValidationFailed.of("scopes", "Your own credential has scopes: name some.")
        if not kept and key.scopes:
            _check_unlimited(key, held)
        key.scopes = kept
    if "allowed_cidrs" in changes:
        key.allowed_cidrs = checked_cidrs(changes["allowed_cidrs"] or [], within=list(within.cidrs))
    if "expires_at" in changes:
        if changes["expires_at"] and changes["expires_at"] <= timezone.now():
            raise ValidationFailed.of("expires_at", "This moment has passed.")
        key.expires_at = changes["expires_at"]
    if _LIMITS & set(changes) and within.is_outlived_by(key.expires_at):
        raise ValidationFailed.of("expires_at", "Your own key ends before.")
    key.name = changes.get("name", key.name)
    with transaction.atomic():
        key.save(update_fields=["name", "scopes", "allowed_cidrs", "expires_at"])
        record_change(
            actor=actor,
            action="apikey.update",
            obj=key,
            project=key.project,
            before=before,
            after=state_of(key),
        )
    return key


def rotate_api_key(
    *,
    actor: Actor,
    key: APIKey,
    held: frozenset[str],
    grace_s: int = DEFAULT_GRACE_S,
    within: Bounds = UNBOUND,
) -> tuple[APIKey, str]:
    """Give a key a new secret; it stays the same key, with its scopes and limits.

    Args:
        actor: Who rotates it.
        key: The key.
        held: What the caller may hand out.
        grace_s: Seconds that the text before still counts; 0 ends it at once. A text before
            that one ends in any case.
        within: What the caller's own key is confined to, and the text of it that was sent.

    Returns:
        The row, and the new text, which cannot be shown again.

    Raises:
        Conflict: The key has ended, or somebody else rotated it meanwhile.
        PermissionDenied: The key can do more than the caller or lives longer, or is another
            person's.
        ValidationFailed: The grace is out of bounds.
    """
    if not 0 <= grace_s <= MAX_GRACE_S:
        raise ValidationFailed.of("grace_s", f"0 to {MAX_GRACE_S} seconds.")
    if actor.id != str(key.user_id) and key.user.kind != User.Kind.SERVICE:
        raise PermissionDenied("With the new text you could act as somebody else.")
    _check_may_change(actor, key, held, {})
    public_id, seen = key.public_id, within.checked_text(key)
    text = api_key.KeyText(public_id, api_key.generate().secret)
    now = timezone.now()
    with transaction.atomic():
        rotated = (
            APIKey.objects.live(now)
            .filter(pk=key.pk, secret_hash=seen)
            .update(
                secret_hash=api_key.secret_hash(text),
                previous_secret_hash=seen if grace_s else "",
                previous_until=now + timedelta(seconds=grace_s) if grace_s else None,
            )
        )
        if not rotated:
            raise Conflict("The key has ended, or was rotated meanwhile.")
        record_change(
            actor=actor,
            action="apikey.rotate",
            obj=key,
            project=key.project,
            after={"grace_s": grace_s},
        )
    key.refresh_from_db()
    return key, str(text)


_LIMITS = {"scopes", "allowed_cidrs", "expires_at"}


def _check_may_change(
    actor: Actor, key: APIKey, held: frozenset[str], changes: dict[str, Any]
) -> None:
    """Let nobody reach through a key that can do more than they, nor a key loosen itself."""
    if actor.credential == f"api_key:{key.public_id}" and _LIMITS & set(changes):
        raise PermissionDenied("A key does not change its own scopes, networks or expiry.")
    membership = Membership.objects.of(user=key.user, project=key.project)
    can = permissions_of(membership.pk, membership.role_id) if membership else frozenset()
    if key.scopes:
        can &= frozenset(key.scopes)
    if missing := sorted(can - held):
        raise PermissionDenied(f"This key can do what you may not: {missing[0]}.")


def _check_unlimited(key: APIKey, held: frozenset[str]) -> None:
    """Let a key lose its limits only where the caller holds all that it may do then."""
    membership = Membership.objects.of(user=key.user, project=key.project)
    if membership is None:
        return
    if missing := sorted(permissions_of(membership.pk, membership.role_id) - held):
        raise ValidationFailed.of(
            "scopes", f"Without scopes the key could do what you may not: {missing[0]}."
        )


def revoke_api_key(*, actor: Actor, key: APIKey) -> bool:
    """End a key at once; False if it had ended before."""
    with transaction.atomic():
        ended = APIKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
        if ended:
            record_change(actor=actor, action="apikey.revoke", obj=key, project=key.project)
    return bool(ended)
