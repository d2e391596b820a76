"""Whatever is done to the sealed log behind the product's back is found and named."""

from typing import Any

import pytest
from django.db import connection

from authz.audit import triggers
from authz.audit.actor import Actor
from authz.audit.chain import GENESIS, Checkpoint
from authz.audit.record import mac_of, record_event
from authz.audit.seal import seal_events, write_checkpoint
from authz.audit.verify import verify
from authz.models import AuditCheckpoint, AuditEvent, AuditSeal
from tests.authz.audit.tampering import (
    EVENT,
    SEAL,
    event_at,
    found,
    intact,
    record,
    sql,
    unguarded,
)
from tests.factories.authz import ProjectFactory

pytestmark = pytest.mark.usefixtures("sealed")


def test_an_untouched_log_is_intact() -> None:
    write_checkpoint()
    record(2)
    report = intact()
    assert (report.event_count, report.unsealed_count, report.last_seq) == (5, 2, 5)


COLUMNS: dict[str, Any] = {
    "actor_label": "somebody else", "actor_id": "7", "actor_kind": "human", "credential": "x",
    "action": "other.done", "outcome": "denied", "project_label": "x", "object_label": "x",
    "object_type": "x", "object_id": "x", "request_id": "x", "address": "10.0.0.1",
    "changes": '{"number": 99}', "project_id": "0190d8a000007000800000000000aaaa",
    "occurred_at": "2026-01-01 00:00:00+00", "mac": "0" * 64,
}  # fmt: skip


def test_every_column_is_covered() -> None:
    assert set(COLUMNS) == {field.column for field in AuditEvent._meta.concrete_fields} - {"id"}


@pytest.mark.parametrize("column", COLUMNS)
def test_an_edited_event_is_named(column: str) -> None:
    unguarded(f"UPDATE {EVENT} SET {column} = %s WHERE id = %s", COLUMNS[column], event_at(3))
    assert found() == [(3, "event_changed")]


def test_an_event_edited_before_it_was_sealed_is_named() -> None:
    record(1)
    unguarded(f"UPDATE {EVENT} SET actor_label = 'x' WHERE id = (SELECT MAX(id) FROM {EVENT})")
    assert found() == [(None, "event_changed")]
    assert seal_events() == 1
    assert found() == [(6, "event_changed")]


def test_an_event_without_a_canonical_form_is_named() -> None:
    unguarded(f"UPDATE {EVENT} SET address = NULL, changes = '[]' WHERE id = %s", event_at(2))
    assert found() == [(2, "event_changed")]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL stores no such values")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("changes", "{"), ("changes", b"\xff"), ("changes", "[" * 100_000), ("changes", ""),
        ("occurred_at", "yesterday"), ("occurred_at", 5), ("project_id", "x"), ("address", "x"),
        ("address", ""), ("actor_label", b"\xff"), ("mac", b"\xff"),
    ],
)  # fmt: skip
def test_an_event_made_unreadable_is_named(column: str, value: Any) -> None:
    unguarded("PRAGMA ignore_check_constraints = ON")
    unguarded(f"UPDATE {EVENT} SET {column} = %s WHERE id = %s", value, event_at(3))
    assert found() == [(3, "event_changed")]
    report = verify(last=2)
    assert not report.problems


def test_values_of_every_kind_keep_their_codes() -> None:
    for value in (
        1e16, -0.0, 0.1, 1e23, 1e-7, 2**70, -(2**63), "é\u2028", {"b": 1, "a": [1.0, {"c": 2.5}]},
        [], {}, None, True,
    ):  # fmt: skip
        record_event(
            actor=Actor(kind="human", label="ada", address="2001:db8::1"), action="x.y",
            outcome=AuditEvent.Outcome.SUCCESS, project=ProjectFactory(), changes={"v": value},
        )  # fmt: skip
    intact()
    seal_events()
    intact()


def test_a_deleted_event_is_named() -> None:
    unguarded(f"DELETE FROM {EVENT} WHERE id IN (%s, %s)", event_at(2), event_at(4))
    assert found() == [(2, "event_missing"), (4, "event_missing")]


def test_reordered_events_are_named() -> None:
    first, second = event_at(2), event_at(4)
    for old, new in ((first, -1), (second, first), (-1, second)):
        unguarded(f"UPDATE {EVENT} SET id = %s WHERE id = %s", new, old)
    assert found() == [(2, "event_moved"), (4, "event_moved")]


def test_events_and_seals_reordered_alike_are_named() -> None:
    """Everything of two rows changes places, except the hashes that nobody can work out."""
    one, two = AuditSeal.objects.get(pk=2), AuditSeal.objects.get(pk=3)
    unguarded(f"UPDATE {SEAL} SET event_id = -1 WHERE seq = 2")
    for seq, other in ((3, one), (2, two)):
        unguarded(
            f"UPDATE {SEAL} SET event_id = %s, event_mac = %s WHERE seq = %s",
            other.event_id, other.event_mac, seq,
        )  # fmt: skip
    assert found() == [(2, "seal_changed"), (3, "seal_changed")]


def test_an_event_put_in_with_a_code_of_its_own_is_named() -> None:
    unguarded(
        f"UPDATE {EVENT} SET actor_label = 'x', mac = %s WHERE id = %s", "ab" * 32, event_at(1)
    )
    unguarded(f"UPDATE {SEAL} SET event_mac = %s WHERE seq = 1", "ab" * 32)
    assert found() == [(1, "seal_changed"), (1, "event_changed")]


def test_a_seal_taken_out_of_the_middle_is_named() -> None:
    event = event_at(3)
    unguarded(f"DELETE FROM {SEAL} WHERE seq = 3")
    unguarded(f"DELETE FROM {EVENT} WHERE id = %s", event)
    assert found() == [(3, "seal_missing")]


def cut_tail(seq: int) -> None:
    unguarded(f"DELETE FROM {EVENT} WHERE id IN (SELECT event_id FROM {SEAL} WHERE seq > %s)", seq)
    unguarded(f"DELETE FROM {SEAL} WHERE seq > %s", seq)


def test_a_cut_tail_is_named_by_a_kept_checkpoint() -> None:
    write_checkpoint()
    cut_tail(3)
    assert found() == [(4, "tail_cut")]


def test_a_tail_cut_with_its_checkpoints_is_named_by_an_exported_one() -> None:
    exported = Checkpoint.read(write_checkpoint().as_dict())
    cut_tail(3)
    unguarded("DELETE FROM authz_auditcheckpoint")
    intact()  # nothing in the database tells: docs/security.md says so
    assert found(checkpoint=exported) == [(4, "tail_cut")]


def test_a_tail_that_was_cut_and_grown_again_is_named() -> None:
    exported = write_checkpoint()
    cut_tail(3)
    unguarded("DELETE FROM authz_auditcheckpoint")
    record(4)
    seal_events()
    assert found(checkpoint=exported) == [(5, "checkpoint_differs")]


def test_an_emptied_log_is_named() -> None:
    exported = write_checkpoint()
    cut_tail(0)
    unguarded("DELETE FROM authz_auditcheckpoint")
    assert found(checkpoint=exported) == [(1, "tail_cut")]


def test_a_forged_checkpoint_is_named() -> None:
    kept = write_checkpoint()
    unguarded("UPDATE authz_auditcheckpoint SET chain_hash = %s", "0" * 64)
    assert found() == [(5, "checkpoint_forged")]
    forged = Checkpoint(2, GENESIS, kept.created_at, kept.signature, kept.public_key)
    assert (2, "checkpoint_forged") in found(checkpoint=forged)


def test_a_forged_prune_marker_lets_rows_go_but_is_named() -> None:
    columns = "through_seq, chain_hash, export_sha256, created_at, signature"
    sql(
        f"INSERT INTO authz_auditprunemarker ({columns}) "
        "VALUES (2, 'x', 'x', '2026-01-01 00:00:00+00', %s)", "00" * 64,
    )  # fmt: skip
    sql(f"DELETE FROM {EVENT} WHERE id = %s", event_at(1))
    assert found() == [(1, "event_missing"), (None, "marker_forged")]


@pytest.mark.parametrize("table", sorted(triggers.KEYS))
def test_a_dropped_trigger_is_named(table: str) -> None:
    on = f" ON {table}" if connection.vendor == "postgresql" else ""
    sql(f"DROP TRIGGER {table}_no_update{on}")
    assert found() == [(None, "trigger_missing")]


def test_a_trigger_that_was_switched_off_or_hollowed_out_is_named() -> None:
    if connection.vendor == "postgresql":
        sql(f"ALTER TABLE {EVENT} DISABLE TRIGGER {EVENT}_no_update")
        assert found() == [(None, "trigger_missing")]
        sql(f"ALTER TABLE {EVENT} ENABLE TRIGGER {EVENT}_no_update")
        sql(
            "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RETURN NEW; END $$"
        )
        assert len(found()) == 11
    else:
        sql(f"DROP TRIGGER {EVENT}_no_update")
        sql(f"CREATE TRIGGER {EVENT}_no_update BEFORE UPDATE ON {EVENT} BEGIN SELECT 1; END")
        assert found() == [(None, "trigger_missing")]


def test_another_key_makes_other_codes(settings: Any) -> None:
    settings.AUDIT_KEY = "k" * 48
    assert {kind for _, kind in found()} == {"seal_changed", "event_changed"}
    with pytest.raises(KeyError):
        mac_of({})


def test_the_newest_part_is_verified_by_itself() -> None:
    unguarded(f"UPDATE {EVENT} SET actor_label = 'x' WHERE id = %s", event_at(2))
    assert intact(last=3).first_seq == 3
    assert found(last=4) == [(2, "event_changed")]
    assert AuditCheckpoint.objects.count() == 0
