"""Deleting old events: only sealed ones, only what an export is shown to hold.

Their seals stay: the chain can be verified from its beginning, and the export against the seals.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.chain import is_marker_genuine, sign_marker
from authz.audit.record import MACED, mac_of, record_event
from authz.models import AuditEvent, AuditPruneMarker, AuditSeal

BATCH = 1000


class NotExported(Exception):
    """The file does not hold what is to be pruned."""


def mark_exported(*, actor: Actor, through_seq: int, export: Path) -> AuditPruneMarker:
    """Sign that everything up to a sequence number is in an export, after looking.

    Args:
        actor: Who prunes.
        through_seq: The last seal whose event may be deleted.
        export: A file of `export_audit_log --format ndjson`.

    Raises:
        NotExported: An event that is still here is missing in the file, or differs.
    """
    head = AuditSeal.objects.filter(seq=through_seq).first()
    if head is None:
        raise NotExported(f"There is no seal with the sequence number {through_seq}.")
    digest, found = _read(export)
    for seq, event_id, mac in _kept(through_seq):
        if found.get(event_id) != mac:
            raise NotExported(f"The file does not hold the event {event_id} (sequence {seq}).")
    now = timezone.now()
    said: dict[str, Any] = {
        "through_seq": through_seq, "chain_hash": head.chain_hash, "export_sha256": digest,
    }  # fmt: skip
    with transaction.atomic():
        marker = AuditPruneMarker.objects.create(
            **said, created_at=now, signature=sign_marker(**said, at=now)
        )
        record_event(
            actor=actor,
            action="auditevent.prune",
            outcome=AuditEvent.Outcome.SUCCESS,
            project=None,
            object_type="auditprunemarker",
            object_id=str(marker.pk),
            object_label=str(through_seq),
            changes={"through_seq": through_seq, "export_sha256": digest},
        )
    return marker


def pruned_through() -> int:
    """Give the sequence number up to which a genuine marker allows to delete; 0 for none."""
    return max(
        (
            row.through_seq
            for row in AuditPruneMarker.objects.all()
            if is_marker_genuine(
                row.signature,
                through_seq=row.through_seq,
                chain_hash=row.chain_hash,
                export_sha256=row.export_sha256,
                at=row.created_at,
            )
        ),
        default=0,
    )


def delete_marked() -> Iterator[int]:
    """Delete the events below the signed markers, batch by batch; gives the size of each.

    What was begun and broken off is taken up where it ended.
    """
    through = pruned_through()
    after = 0
    while True:
        rows = AuditSeal.objects.filter(seq__gt=after, seq__lte=through).order_by("seq")
        batch = list(rows.values_list("seq", "event_id")[:BATCH])
        if not batch:
            return
        ids = [event_id for _, event_id in batch]
        with transaction.atomic():
            count, _ = AuditEvent.objects.filter(pk__in=ids).delete()
        after = batch[-1][0]
        yield count


def _kept(through_seq: int) -> Iterator[tuple[int, int, str]]:
    """Give seq, event and code of every sealed event that is still here."""
    after = 0
    while True:
        rows = AuditSeal.objects.filter(seq__gt=after, seq__lte=through_seq).order_by("seq")
        batch = list(rows.values_list("seq", "event_id", "event_mac")[:BATCH])
        if not batch:
            return
        ids = [event_id for _, event_id, _ in batch]
        here = set(AuditEvent.objects.filter(pk__in=ids).values_list("pk", flat=True))
        yield from (row for row in batch if row[1] in here)
        after = batch[-1][0]


def _read(export: Path) -> tuple[str, dict[int, str]]:
    """Give the file's SHA-256, and the codes of its events, worked out from what it says."""
    digest, found = hashlib.sha256(), {}
    with export.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            digest.update(line)
            try:
                event = json.loads(line)
                found[event["id"]] = mac_of({name: event[name] for name in MACED})
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise NotExported(f"Line {number} of the file is no exported event.") from error
    return digest.hexdigest(), found
