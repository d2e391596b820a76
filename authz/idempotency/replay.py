"""Answering a repeated request with the first one's answer.

Semantics of draft-ietf-httpapi-idempotency-key-header: the same key with the same request gives
the same answer for a day, a key in use gives 409, a key with another request gives 422. Server
errors and refusals for load are not kept, so that trying again can succeed.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from authz.identity.principal import Principal
from authz.models.kernel import IdempotencyRecord
from authz.secrets.keyring import Place, decrypt, encrypt
from intmod_site.api.errors import Conflict, IdempotencyMismatch, ValidationFailed
from intmod_site.api.event_stream import MEDIA_TYPE, EventStream
from intmod_site.api.parser import read_body
from intmod_site.database import release_connection

KEPT_FOR = timedelta(hours=24)
LOCKED_FOR = timedelta(minutes=10)
"""How long a request may take; a process that died with it blocks its key no longer."""

PURGED_EVERY = 100
"""Claims between two removals of expired records: nothing else ever looks at them again."""

MAX_KEY_LENGTH = 255
KEPT_STATUSES = range(200, 429)


def answer_once(
    request: HttpRequest, principal: Principal, view: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """Run the view, unless its request was answered before under the same Idempotency-Key.

    Raises:
        Conflict: The first request is still being answered.
        IdempotencyMismatch: The key was used for another request.
        ValidationFailed: The key is empty, too long or not printable ASCII.
    """
    claim = begin(request, principal)
    if claim is None:
        return view()
    if claim.status is not None:
        return replay(claim)
    try:
        response = view()
    except Exception:
        release(claim)
        raise
    if isinstance(response, EventStream):
        response.when_over(lambda sent: _end_of_stream(claim, sent))
    else:
        keep(claim, response)
    return response


def forget_expired(now: datetime | None = None) -> int:
    """Remove what is kept no longer; gives how many answers."""
    expired = IdempotencyRecord.objects.filter(expires_at__lte=now or timezone.now())
    return expired.delete()[0]


def begin(request: HttpRequest, principal: Principal) -> IdempotencyRecord | None:
    """Claim the request's key; None without one, a record with a status if it has an answer."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not (0 < len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise ValidationFailed.of(
            "Idempotency-Key", f"1 to {MAX_KEY_LENGTH} printable ASCII characters."
        )
    now = timezone.now()
    wanted = {
        # The credential and not its user: another one may do less than this one was answered.
        "principal": principal.credential,
        "key": key,
    }
    fresh = {
        "fingerprint": _fingerprint(request),
        "locked_until": now + LOCKED_FOR,
        "expires_at": now + KEPT_FOR,
    }
    try:
        with transaction.atomic():
            claimed = IdempotencyRecord.objects.create(**wanted, **fresh)
            if claimed.pk % PURGED_EVERY == 0:
                forget_expired(now)
            return claimed
    except IntegrityError:
        pass
    # Expired, or left behind by a process that died: exactly one caller takes it over.
    stale = IdempotencyRecord.objects.filter(**wanted).filter(
        Q(expires_at__lte=now) | Q(status=None, locked_until__lte=now)
    )
    taken = stale.update(status=None, body=None, **fresh)
    record = IdempotencyRecord.objects.filter(**wanted).first()
    if record is None or taken:
        return record or begin(request, principal)
    if record.fingerprint != fresh["fingerprint"]:
        raise IdempotencyMismatch("This Idempotency-Key was used for another request.")
    if record.status is None:
        raise Conflict(
            "The first request with this Idempotency-Key is still being answered.",
            code="idempotency_in_flight",
            retry_after_s=1,
        )
    return record


def replay(record: IdempotencyRecord) -> HttpResponse:
    """Give the kept answer again."""
    return HttpResponse(
        decrypt(bytes(record.body or b"").decode(), _place(record)).encode("latin-1"),
        status=record.status or 200,
        content_type=record.content_type,
        headers={"Idempotent-Replayed": "true"},
    )


def keep(record: IdempotencyRecord, response: HttpResponseBase) -> None:
    """Keep a final answer for later repetitions; forget the claim for any other."""
    if response.status_code not in KEPT_STATUSES or not isinstance(response, HttpResponse):
        release(record)
        return
    content_type = response.headers.get("Content-Type", "")
    _store(record, response.status_code, response.content, content_type)


def _end_of_stream(record: IdempotencyRecord, sent: bytes | None) -> None:
    """Keep a stream that ended well; its repetition comes at once and whole."""
    if sent is None:
        release(record)
    else:
        _store(record, 200, sent, MEDIA_TYPE)
    release_connection()


def _store(record: IdempotencyRecord, status: int, body: bytes, content_type: str) -> None:
    IdempotencyRecord.objects.filter(pk=record.pk).update(
        status=status,
        body=encrypt(body.decode("latin-1"), _place(record)).encode(),
        content_type=content_type,
    )


def release(record: IdempotencyRecord) -> None:
    """Forget a claim, so that the request can be tried again."""
    IdempotencyRecord.objects.filter(pk=record.pk, status=None).delete()


def _place(record: IdempotencyRecord) -> Place:
    """Answers are kept encrypted: one may hold an API key that is shown nowhere else."""
    return Place(record._meta.db_table, f"{record.principal}/{record.key}", "body")


def _fingerprint(request: HttpRequest) -> str:
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    digest.update(read_body(request))
    return digest.hexdigest()
