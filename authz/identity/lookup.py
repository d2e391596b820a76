"""From a credential to a principal, with one query.

The statement joins the credential with its user, project, membership and the configuration
revision. It is written by hand: building it through the ORM at every request would cost several
times what running it does.
"""

import hmac
import logging
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from django.db import OperationalError, transaction
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError

from authz.configuration.snapshot import snapshot_at
from authz.identity import api_key
from authz.identity.networks import is_allowed
from authz.identity.principal import Principal
from authz.identity.tokens import AccessToken
from authz.models.credentials import APIKey
from intmod_site.api.errors import NotAuthenticated
from intmod_site.database import adapted
from intmod_site.first_row import first_row

log = logging.getLogger("intmod.identity")

LAST_USED_STEP = timedelta(minutes=5)
"""How stale `last_used_at` may be: writing it at every call would cost more than the call."""

_SELECT = """
SELECT c.id, c.scopes, u.id, u.username, u.kind, p.id, p.slug, m.id, m.role_id,
       COALESCE((SELECT number FROM authz_configurationrevision WHERE id = 1), 0), {extra}
FROM {table} c
JOIN authz_user u ON u.id = c.user_id AND u.is_active
LEFT JOIN authz_user o ON o.id = u.owner_id
JOIN authz_project p ON p.id = c.project_id AND p.is_active
JOIN authz_membership m ON m.user_id = c.user_id AND m.project_id = c.project_id
WHERE c.{key} = %s AND c.revoked_at IS NULL
  AND (c.expires_at IS NULL OR c.expires_at > %s)
  AND (u.owner_id IS NULL OR o.is_active){condition}
"""
_BY_SESSION = _SELECT.format(
    table="authz_session",
    key="id",
    extra="NULL",
    condition=" AND c.credential_epoch = u.credential_epoch",
)
_BY_KEY = _SELECT.format(
    table="authz_apikey",
    key="public_id",
    extra="""
       c.secret_hash, CASE WHEN c.previous_until > %s THEN c.previous_secret_hash ELSE '' END,
       c.allowed_cidrs, (c.last_used_at IS NULL OR c.last_used_at < %s)""",
    condition="",
)


def find_principal(credential: str, *, address: str | None) -> Principal:
    """Give the caller behind an access token or API key.

    Raises:
        NotAuthenticated: The credential is malformed, unknown, expired or revoked, or its user,
            project or membership is gone. The message does not tell which.
    """
    if credential.startswith(api_key.PREFIX):
        return _by_api_key(credential, address)
    return _by_access_token(credential, address)


def _by_access_token(text: str, address: str | None) -> Principal:
    try:
        session_id = AccessToken(text).session_id  # type: ignore[arg-type]
    except TokenError:
        raise _refusal() from None
    row = _fetch(_BY_SESSION, [adapted(session_id), adapted(timezone.now())])
    return _principal(row, f"session:{session_id}", address)


def _by_api_key(text: str, address: str | None) -> Principal:
    key = api_key.parse(text)
    if key is None:
        raise _refusal()
    now = timezone.now()
    moment = adapted(now)
    row = _fetch(_BY_KEY, [moment, adapted(now - LAST_USED_STEP), key.public_id, moment])
    *_, current, previous, cidrs, use_is_news = row
    presented = api_key.secret_hash(key)
    if not (hmac.compare_digest(presented, current) or hmac.compare_digest(presented, previous)):
        raise _refusal()
    if not is_allowed(address, _cidrs(cidrs)):
        log.warning("API key %s refused from %s", key.public_id, address)
        raise _refusal()
    principal = _principal(row, f"api_key:{key.public_id}", address, presented)
    if use_is_news in {True, "t"}:
        _note_use(principal.credential_id, now)
    return principal


def _note_use(key_id: UUID, now: datetime) -> None:
    """Write down the use; a database that is busy with something else is no reason to refuse."""
    try:
        with transaction.atomic():
            APIKey.objects.filter(pk=key_id).update(last_used_at=now)
    except OperationalError:
        log.warning("last use of a key not noted", exc_info=True)


def _fetch(statement: str, parameters: list[Any]) -> tuple[Any, ...]:
    row = first_row(statement, parameters)
    if row is None:
        raise _refusal()
    return row


def _principal(
    row: tuple[Any, ...], credential: str, address: str | None, text_hash: str = ""
) -> Principal:
    (
        credential_id,
        scopes,
        user_id,
        username,
        kind,
        project_id,
        slug,
        membership_id,
        role_id,
        number,
        *_,
    ) = row
    return Principal(
        user_id=_id(user_id),
        label=username,
        kind=kind,
        project_id=_id(project_id),
        project_slug=slug,
        membership_id=_id(membership_id),
        role_id=int(role_id),
        credential=credential,
        credential_id=_id(credential_id),
        scopes=_scopes(scopes) if isinstance(scopes, str) else frozenset(scopes),
        snapshot=snapshot_at(int(number)),
        address=address,
        text_hash=text_hash,
    )


@lru_cache(maxsize=4096)
def _id(value: str | UUID) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


@lru_cache(maxsize=1024)
def _scopes(text: str) -> frozenset[str]:
    return frozenset(orjson.loads(text))


def _cidrs(value: str | list[str]) -> tuple[str, ...]:
    return tuple(orjson.loads(value)) if isinstance(value, str) else tuple(value)


def _refusal() -> NotAuthenticated:
    return NotAuthenticated("The credential is unknown, expired or revoked.")
