"""Sealing committed events into the chain.

Events are sealed after they are committed and not while they are written: a chain that every
change had to lock until its commit would let one change happen at a time.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from authz.audit.chain import GENESIS, Checkpoint, link
from authz.models import AuditCheckpoint, AuditEvent, AuditSeal

BATCH = 1000
CHECKPOINT_EVERY = timedelta(hours=1)
_LOCK = 0x494D4155  # any number that nothing else locks


def seal_events() -> int:
    """Seal what is committed and not sealed; gives how many events that were.

    Several at once do no harm: one seals, the others find nothing to do or leave it to that one.
    """
    return sum(seal_in_batches())


def seal_in_batches() -> Iterator[int]:
    """Seal batch by batch, each in its own transaction; gives the size of each."""
    while count := _seal_batch():
        yield count


def seal_periodically() -> None:
    """Seal, and sign the head from time to time: the job that runs every minute."""
    seal_events()
    last = AuditCheckpoint.objects.order_by("-id").first()
    if last is None or timezone.now() - last.created_at >= CHECKPOINT_EVERY:
        write_checkpoint()


def write_checkpoint() -> Checkpoint:
    """Sign the chain's head, and keep the checkpoint where the head has moved since the last."""
    head = AuditSeal.objects.order_by("-seq").first()
    seq, chain_hash = (head.seq, head.chain_hash) if head else (0, GENESIS)
    now = timezone.now()
    checkpoint = Checkpoint.sign(seq=seq, chain_hash=chain_hash, at=now)
    last = AuditCheckpoint.objects.order_by("-id").first()
    if seq and (last is None or last.seq != seq):
        AuditCheckpoint.objects.create(
            seq=seq, chain_hash=chain_hash, created_at=now, signature=checkpoint.signature
        )
    return checkpoint


def unsealed_events() -> QuerySet[AuditEvent]:
    """Give the events that are not sealed; their ids may be lower than those of sealed ones.

    PostgreSQL gives ids when rows are written and shows them when they are committed, which is
    not the same order: "newer than the last sealed one" would leave some out for ever.
    """
    return AuditEvent.objects.filter(
        ~Exists(AuditSeal.objects.filter(event_id=OuterRef("pk")))
    ).order_by("id")


def _seal_batch() -> int:
    with transaction.atomic():
        if not _is_elected():
            return 0
        events = list(unsealed_events().values_list("id", "mac")[:BATCH])
        head = AuditSeal.objects.order_by("-seq").values_list("seq", "chain_hash").first()
        seq, chain_hash = head or (0, GENESIS)
        now, seals = timezone.now(), []
        for event_id, mac in events:
            seq += 1
            chain_hash = link(chain_hash, seq, event_id, mac)
            seals.append(
                AuditSeal(
                    seq=seq, event_id=event_id, event_mac=mac, chain_hash=chain_hash, sealed_at=now
                )
            )
        AuditSeal.objects.bulk_create(seals)
        return len(seals)


def _is_elected() -> bool:
    """Whether this transaction is the one that seals; on SQLite there is one writer anyway."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
