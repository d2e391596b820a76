"""Sealing: everything committed, once, in one chain."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from authz.audit import seal
from authz.audit.chain import GENESIS, link
from authz.audit.seal import seal_events, seal_periodically, write_checkpoint
from authz.models import AuditCheckpoint, AuditEvent, AuditSeal
from tests.authz.audit.tampering import event_at, found, record


def test_each_seal_follows_from_the_one_before(db: None) -> None:
    record(3)
    assert (seal_events(), seal_events()) == (3, 0)
    previous = GENESIS
    for row in AuditSeal.objects.order_by("seq"):
        event = AuditEvent.objects.get(pk=row.event_id)
        assert row.event_mac == event.mac
        assert row.chain_hash == link(previous, row.seq, event.pk, event.mac)
        previous = row.chain_hash
    assert list(AuditSeal.objects.values_list("seq", flat=True).order_by("seq")) == [1, 2, 3]


def test_more_than_a_batch_is_sealed(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "BATCH", 2)
    record(5)
    assert list(seal.seal_in_batches()) == [2, 2, 1]


def test_an_event_that_is_committed_late_is_sealed_late(db: None) -> None:
    """PostgreSQL gives ids when rows are written, not when they are committed."""
    record(1)
    late = AuditEvent.objects.get()
    AuditEvent.objects.all()._raw_delete("default")
    record(2)
    seal_events()
    AuditEvent.objects.bulk_create([late])
    assert seal_events() == 1
    assert event_at(3) == late.pk < event_at(1)


def test_a_checkpoint_is_kept_where_the_head_has_moved(db: None) -> None:
    empty = write_checkpoint()
    assert (empty.seq, empty.chain_hash, empty.is_genuine) == (0, GENESIS, True)
    record(1)
    seal_events()
    first, again = write_checkpoint(), write_checkpoint()
    assert first.seq == again.seq == 1
    assert first.is_genuine
    assert AuditCheckpoint.objects.count() == 1


def test_the_periodic_job_seals_each_time_and_signs_from_time_to_time(db: None) -> None:
    start = timezone.now()
    for minutes, checkpoints in ((0, 1), (30, 1), (61, 2), (62, 2)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            record(1)
            seal_periodically()
        assert AuditCheckpoint.objects.count() == checkpoints
    assert AuditSeal.objects.count() == 4
    assert [kind for _, kind in found() if kind != "trigger_missing"] == []
