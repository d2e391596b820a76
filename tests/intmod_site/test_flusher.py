"""Rows that nobody waits for: written soon, by the caller if the queue is full, at the end."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from intmod_site import flusher as flusher_module
from intmod_site.flusher import Flusher, add_rows, drain_rows, write_patiently
from intmod_site.row_table import RowTable
from registry.models import MetricSample

SAMPLES = RowTable(MetricSample)


def sample(value: float) -> tuple[RowTable, tuple[Any, ...]]:
    now = timezone.now()
    return SAMPLES, SAMPLES.row(
        version_id=uuid4(), metric="m", value=value, ts=now, source="inference"
    )


def values() -> list[float]:
    return sorted(MetricSample.objects.values_list("value", flat=True))


def test_a_row_reads_back_as_it_was_given(db: None) -> None:
    table, row = sample(0.25)
    add_rows((table, row))
    stored = MetricSample.objects.values_list("version_id", "metric", "value", "ts", "source").get()
    assert stored == row


def test_a_missing_column_is_told() -> None:
    with pytest.raises(KeyError):
        SAMPLES.row(metric="m")


@pytest.mark.django_db(transaction=True)
def test_queued_rows_are_written_soon() -> None:
    flusher = Flusher(max_rows=100, interval_s=0.05)
    flusher.add((sample(1), sample(2)))
    deadline = time.monotonic() + 10
    while len(values()) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert values() == [1, 2]
    flusher.drain()


@pytest.mark.django_db(transaction=True)
def test_what_waits_is_written_on_demand(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FLUSHER_QUEUE_ROWS, settings.FLUSHER_INTERVAL_S = 100, 1000
    monkeypatch.setattr(flusher_module, "_flusher", None)
    drain_rows()
    add_rows(sample(1), sample(2))
    assert values() == []
    drain_rows()
    assert values() == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_with_a_full_queue_the_caller_writes() -> None:
    flusher = Flusher(max_rows=1, interval_s=1000)
    flusher.add((sample(1),))
    assert values() == []
    flusher.add((sample(2),))
    assert values() == [2]
    flusher.drain()
    assert values() == [1, 2]
    flusher.add((sample(3),))
    assert values() == [1, 2, 3], "a drained flusher would keep the row for ever"


def test_a_database_that_comes_back_loses_nothing(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([OperationalError, OperationalError])
    insert = RowTable.insert

    def sometimes(self: RowTable, rows: Any) -> None:
        if error := next(failures, None):
            raise error
        insert(self, rows)

    monkeypatch.setattr(RowTable, "insert", sometimes)
    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr("intmod_site.flusher.RETRY_DELAYS_S", (0.0, 0.0))
    write_patiently([sample(1)])
    assert values() == [1]


def test_an_ending_process_writes_what_waits(tmp_path: Path) -> None:
    """Also in a server's worker, which is a multiprocessing child and runs no atexit."""
    code = textwrap.dedent("""
        import multiprocessing, django
        django.setup()
        from django.core.management import call_command
        from uuid import uuid4
        from django.utils import timezone
        from intmod_site.flusher import add_rows
        from intmod_site.row_table import RowTable
        from registry.models import MetricSample

        def work():
            table = RowTable(MetricSample)
            for value in range(7):
                add_rows((table, table.row(version_id=uuid4(), metric="m", value=value,
                                           ts=timezone.now(), source="inference")))

        call_command("migrate", verbosity=0)
        from django.db import connections
        connections.close_all()
        worker = multiprocessing.get_context("fork").Process(target=work)
        worker.start()
        worker.join()
        print(MetricSample.objects.count())
    """)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "intmod_site.settings",
        "INTMOD_DATA_DIR": str(tmp_path),
        "FLUSHER_QUEUE_ROWS": "1000",
        "DATABASE_URL": "",
        "INTMOD_EXTENSIONS": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "7", done.stderr


def test_one_bad_row_does_not_take_the_others_along(db: None) -> None:
    table, good = sample(1)
    bad = tuple(
        None if column == "metric" else value
        for column, value in zip(table.columns, good, strict=True)
    )
    write_patiently([sample(2), (table, bad), sample(3)])
    assert values() == [2, 3]


@pytest.mark.django_db(transaction=True)
def test_no_error_ends_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    flusher = Flusher(max_rows=100, interval_s=0.02)
    with monkeypatch.context() as broken:
        broken.setattr("intmod_site.flusher.write_patiently", lambda rows: 1 / 0)
        flusher.add((sample(1),))
        time.sleep(0.2)
    flusher.add((sample(2),))
    deadline = time.monotonic() + 10
    while 2 not in values() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert 2 in values()
    flusher.drain()
