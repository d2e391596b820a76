"""What `manage.py worker` refuses before it begins."""

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from integrations.engine import schema
from integrations.management.commands import worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--queues", "flows,nowhere"], "no queue 'nowhere'"),
        (["--queues", " , "], "names at least one"),
        (["--concurrency", "0"], "--concurrency takes 1 to 256"),
        (["--webhook-threads", "257"], "--webhook-threads takes 1 to 256"),
    ],
)
def test_odd_options(words: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("worker", *words)


@pytest.mark.parametrize("version", [None, schema.SCHEMA_VERSION - 1])
def test_tables_that_are_not_there_or_old(monkeypatch: pytest.MonkeyPatch, version: Any) -> None:
    monkeypatch.setattr(schema, "rows", lambda _: [(version,)] if version else missing_table())
    with pytest.raises(CommandError, match="run manage"):
        call_command("worker")
    with connection.cursor() as cursor:  # The transaction around is not spoiled.
        cursor.execute("SELECT 1")


def missing_table() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM no_such_table")
        return list(cursor.fetchall())
