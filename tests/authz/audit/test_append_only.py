"""The chain's tables refuse what the log refuses; events go only below a signed marker."""

import re
import sqlite3
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from authz.audit import triggers
from authz.audit.seal import write_checkpoint
from authz.models import AuditCheckpoint, AuditEvent, AuditPruneMarker, AuditSeal
from tests.authz.audit.tampering import EVENT, event_at, sql

pytestmark = pytest.mark.usefixtures("sealed")
ROOT = Path(settings.BASE_DIR)
MODELS = {model._meta.db_table: model for model in (AuditSeal, AuditCheckpoint, AuditPruneMarker)}


def marker(through: int) -> None:
    sql(
        "INSERT INTO authz_auditprunemarker (through_seq, chain_hash, export_sha256, created_at, "
        f"signature) VALUES ({through}, 'x', 'x', '2026-01-01 00:00:00+00', 'x')"
    )


@pytest.mark.parametrize("table", MODELS)
def test_rows_of_the_chain_are_neither_changed_nor_deleted(table: str) -> None:
    write_checkpoint()
    marker(0)
    row, column = MODELS[table].objects.order_by("pk")[0], MODELS[table]._meta.pk.column  # type: ignore[union-attr]
    for statement in (f"UPDATE {table} SET chain_hash = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            sql(statement)
    if connection.vendor == "postgresql":
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            sql(f"TRUNCATE {table}")
    else:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            sql(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE {column} = {row.pk}")
    with pytest.raises(TypeError):
        row.save()
    with pytest.raises(TypeError):
        row.delete()


def test_events_are_deleted_only_below_a_marker() -> None:
    marker(2)
    for seq in (1, 2):
        sql(f"DELETE FROM {EVENT} WHERE id = {event_at(seq)}")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(f"DELETE FROM {EVENT} WHERE id = {event_at(3)}")
    assert AuditEvent.objects.count() == 3


def test_an_event_that_is_not_sealed_is_never_deleted() -> None:
    from tests.authz.audit.tampering import record

    marker(10**9)
    record(1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(f"DELETE FROM {EVENT} WHERE id = (SELECT MAX(id) FROM {EVENT})")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="REPLACE is SQLite's")
@pytest.mark.parametrize("table", [EVENT, "authz_auditseal"])
def test_another_programs_replace_is_refused_too(table: str) -> None:
    """Its connection does not say recursive_triggers, without which REPLACE deletes unseen."""
    other = sqlite3.connect(connection.settings_dict["NAME"])
    try:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            other.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")
    finally:
        other.close()


def test_installing_twice_changes_nothing() -> None:
    triggers.install(connection)
    assert triggers.altered(connection) == []
    triggers.remove(connection)
    assert len(triggers.altered(connection)) == 12
    triggers.install(connection)


def test_no_part_of_the_product_takes_the_triggers_away() -> None:
    """The suite's flush does; beside it, only a migration that is undone."""
    sources = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for package in ("intmod_site", "authz", "integrations", "registry")
        for path in (ROOT / package).rglob("*.py")
    }
    assert len(sources) > 100
    bypasses = re.compile(
        r"triggers\.remove|triggers import .*remove|DROP TRIGGER|DISABLE TRIGGER"
        r"|session_replication_role|recursive_triggers\s*=\s*(?:0|OFF)",
        re.IGNORECASE,
    )
    assert {path for path, text in sources.items() if bypasses.search(text)} == {
        "authz/audit/triggers.py",
        "authz/migrations/0002_append_only_audit.py",
    }
    assert sources["authz/audit/triggers.py"].count("remove(") == 1
