"""Access tokens: asked for once, whoever needs one, and shared by all processes.

A process remembers what it last saw. Whoever finds no token that still counts claims the asking by
a conditional update; everybody else, in this process or another, waits for what comes of it.
"""

import hashlib
import hmac
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from authz.secrets.keyring import SecretUnreadable
from integrations.connections.auth.oauth2 import ANSWER_LIMIT_BYTES, read_token, token_request
from integrations.connections.connection import Connection
from integrations.http.client import send
from integrations.http.errors import Deadline, DeadlineExceeded
from integrations.http.messages import OutboundRequest
from integrations.http.policy import Deadlines
from integrations.models import AccessToken
from intmod_site.database import release_connection

EARLY_S = 30.0
"""A token is renewed so long before it ends, or at half of its life if that is shorter."""
POLL_S = 0.05
CLAIM_MARGIN_S = 2.0


@dataclass(frozen=True, slots=True)
class _Remembered:
    given_for: str
    token: str
    expires_at: datetime


_remembered: dict[UUID, _Remembered] = {}
_locks: dict[UUID, threading.Lock] = {}
_guard = threading.Lock()


def access_token(connection: Connection, *, left_s: float) -> str:
    """Give a token that counts, asking for one if need be.

    Args:
        connection: Of the scheme `oauth2_client_credentials`.
        left_s: Seconds that there are for it.

    Raises:
        TokenRefused: The token endpoint gave none.
        OutboundError: It could not be asked, or there was no time.
    """
    given_for = _given_for(connection)
    token = _known(connection.integration_id, given_for)
    if token is not None:
        return token
    ends_at = time.monotonic() + left_s
    lock = _lock_of(connection.integration_id)
    if not lock.acquire(timeout=left_s):
        raise DeadlineExceeded(Deadline.TOTAL)
    try:
        return _known(connection.integration_id, given_for) or _obtained(
            connection, given_for, ends_at
        )
    finally:
        lock.release()


def forget_token(connection: Connection, token: str) -> None:
    """Use a token no more that the system did not take; a newer one stays."""
    _remembered.pop(connection.integration_id, None)
    row = AccessToken.objects.filter(pk=connection.integration_id).first()
    if row is not None and _readable(row) == token:
        AccessToken.objects.filter(pk=row.pk, expires_at=row.expires_at).update(
            expires_at=timezone.now()
        )


def _obtained(connection: Connection, given_for: str, ends_at: float) -> str:
    """Take the shared token, ask for a new one, or wait for whoever does."""
    while (left_s := ends_at - time.monotonic()) > 0:
        token = _shared(connection, given_for)
        if token is not None:
            return token
        if _claimed(connection.integration_id, timezone.now(), left_s):
            # Whoever held the claim until now may have brought one.
            token = _shared(connection, given_for)
            if token is None:
                return _asked(connection, given_for, left_s)
            _end_claim(connection.integration_id, {})
            return token
        release_connection()
        time.sleep(POLL_S)
    raise DeadlineExceeded(Deadline.TOTAL)


def _shared(connection: Connection, given_for: str) -> str | None:
    """Give the token that some process was given, if it counts."""
    row = AccessToken.objects.filter(pk=connection.integration_id).first()
    if row is None or row.given_for != given_for or row.expires_at is None:
        return None
    token = _readable(row)
    if token is None or row.expires_at <= timezone.now():
        return None
    _remembered[connection.integration_id] = _Remembered(given_for, token, row.expires_at)
    return token


def _claimed(integration_id: UUID, now: datetime, left_s: float) -> bool:
    """Whether it is this caller who asks; a claim ends with the time that its holder had."""
    until = now + timedelta(seconds=left_s + CLAIM_MARGIN_S)
    free = Q(refreshing_until=None) | Q(refreshing_until__lte=now)
    if AccessToken.objects.filter(free, pk=integration_id).update(refreshing_until=until):
        return True
    try:
        with transaction.atomic():
            AccessToken(pk=integration_id, refreshing_until=until).save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _asked(connection: Connection, given_for: str, left_s: float) -> str:
    found: dict[str, Any] = {}
    try:
        token, lifetime_s = _fetch(connection, left_s)
        ahead_s = min(EARLY_S, lifetime_s / 2)
        expires_at = timezone.now() + timedelta(seconds=lifetime_s - ahead_s)
        row = AccessToken(integration_id=connection.integration_id, token=token)
        found = {"token": row.token, "given_for": given_for, "expires_at": expires_at}
    finally:
        _end_claim(connection.integration_id, found)
    _remembered[connection.integration_id] = _Remembered(given_for, token, expires_at)
    return token


def _end_claim(integration_id: UUID, found: dict[str, Any]) -> None:
    row = AccessToken.objects.filter(pk=integration_id).first()
    if row is None:  # removed with its integration meanwhile
        return
    row.refreshing_until = None
    for name, value in found.items():
        setattr(row, name, value)
    row.save(update_fields=["refreshing_until", *found])


def _fetch(connection: Connection, left_s: float) -> tuple[str, float]:
    asked = token_request(connection.auth_settings, connection.api_key or "")
    release_connection()
    limits = connection.deadlines
    response = send(
        OutboundRequest(asked.method, asked.url, asked.headers, asked.body),
        deadlines=Deadlines(limits.connect_s, limits.first_byte_s, limits.idle_s, left_s),
        body_limit_bytes=ANSWER_LIMIT_BYTES,
        egress=connection.egress,
    )
    return read_token(response.status, response.body)


def _known(integration_id: UUID, given_for: str) -> str | None:
    known = _remembered.get(integration_id)
    if known and known.given_for == given_for and known.expires_at > timezone.now():
        return known.token
    return None


def _readable(row: AccessToken) -> str | None:
    secret: Any = row.token
    try:
        return secret.reveal() if secret else None
    except SecretUnreadable:
        return None


def _given_for(connection: Connection) -> str:
    """Tell apart what tokens were asked with: another secret or scope needs another token."""
    asked_with = orjson.dumps(
        [connection.base_url, connection.api_key, dict(connection.auth_settings)],
        option=orjson.OPT_SORT_KEYS,
    )
    return hmac.new(settings.AUDIT_KEY.encode(), asked_with, hashlib.sha256).hexdigest()


def _lock_of(integration_id: UUID) -> threading.Lock:
    with _guard:
        return _locks.setdefault(integration_id, threading.Lock())
