"""Rotating the keys that tokens are signed with, without logging anybody out.

The new key is put first, with a moment from which it signs; the ones before verify until no living
token was signed with them. The ring stays plain text, in the file that every process reads.
"""

import base64
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_event
from authz.identity.signing_keys import (
    ED25519_BYTES,
    ED25519_PREFIX,
    EDDSA,
    MOMENT,
    NAME,
    moment_of,
    retired,
    ring_of,
    signing_key,
)
from authz.models import AuditEvent
from intmod_site.keys import parsed_ring

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a ring becomes.

    Args:
        pairs: Ids and texts, the newest first.
        made: Id of the new key; None where none was due.
        dropped: Ids of the keys that go.
        reason: Why no key was made; empty if one was.
    """

    pairs: Pairs
    made: str | None
    dropped: list[str]
    reason: str = ""

    @property
    def text(self) -> str:
        """The ring as it is configured."""
        return ",".join(f"{kid}:{key}" for kid, key in self.pairs)


def plan_rotation(
    pairs: Pairs,
    *,
    now: datetime,
    algorithm: str | None = None,
    lead: timedelta = timedelta(0),
    older_than: timedelta | None = None,
    forget_others: bool = False,
) -> Plan:
    """Say what becomes of a ring.

    Args:
        pairs: Ids and texts as they are.
        now: The moment.
        algorithm: HS256 or EdDSA of the new key; None for that of the newest.
        lead: How long after now the new key begins to sign.
        older_than: Make a key only if the one that signs has done so for longer.
        forget_others: Keep the new key only; every token so far ends.
    """
    ring = ring_of(pairs)
    current, newest = signing_key(ring, now=now), next(iter(ring.values()))
    kid = (now + lead).strftime(MOMENT)
    reason = ""
    if forget_others:
        older_than = None
    elif not newest.signs(now):
        reason = f"{newest.kid} waits for its moment already"
    if kid in ring:
        reason = f"{kid} was made this second"
    elif not reason and older_than and current.signs_from and now - current.signs_from < older_than:
        reason = f"{current.kid} is not that old yet"
    if not reason:
        pairs = ((kid, _new_key(algorithm or newest.algorithm)), *pairs)
    gone = retired(ring_of(pairs), now=now)
    if forget_others and not reason:
        gone = [other for other, _ in pairs[1:]]
    kept = tuple(pair for pair in pairs if pair[0] not in gone)
    return Plan(kept, None if reason else kid, gone, reason)


def rotate_file(file: Path, *, actor: Actor, **wishes: object) -> Plan:
    """Rotate the ring of a file; of several at once each sees what the one before made of it.

    Args:
        file: Read again by every process when it has changed.
        actor: Who rotates.
        wishes: See `plan_rotation`.

    Raises:
        OSError: The file cannot be read or replaced.
        ImproperlyConfigured: What it holds is no ring.
    """
    with _alone(file):
        text = file.read_text(encoding="utf-8").strip()
        pairs = tuple(parsed_ring(NAME, text, production=settings.PRODUCTION).items())
        plan = plan_rotation(pairs, **wishes)  # type: ignore[arg-type]
        if plan.made or plan.dropped:
            with transaction.atomic():
                record_rotation(actor=actor, plan=plan)
                _replace(file, plan.text + "\n")
    return plan


def record_rotation(*, actor: Actor, plan: Plan) -> None:
    """Record which keys came and went, by their ids."""
    begins = moment_of(plan.made or "")
    record_event(
        actor=actor,
        action="signing_key.rotate",
        outcome=AuditEvent.Outcome.SUCCESS,
        project=None,
        changes={
            "made": plan.made,
            "signs_from": begins.isoformat() if begins else None,
            "dropped": plan.dropped,
            "kept": [kid for kid, _ in plan.pairs],
        },
    )


def _new_key(algorithm: str) -> str:
    if algorithm != EDDSA:
        return secrets.token_urlsafe(48)
    seed = base64.urlsafe_b64encode(secrets.token_bytes(ED25519_BYTES)).decode()
    return ED25519_PREFIX + seed.rstrip("=")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Wait for whoever rotates in this folder; the file itself is replaced, so it holds no lock."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _replace(file: Path, text: str) -> None:
    """Put a new file in the old one's place, whole, with its mode and its owner."""
    found = file.stat()
    with tempfile.NamedTemporaryFile(
        "w", dir=file.parent, prefix=f".{file.name}.", encoding="utf-8", delete=False
    ) as aside:
        try:
            aside.write(text)
            aside.flush()
            os.fsync(aside.fileno())
            shutil.copymode(file, aside.name)
            if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(aside.name, found.st_uid, found.st_gid)
            Path(aside.name).replace(file)
        except BaseException:
            Path(aside.name).unlink(missing_ok=True)
            raise
