"""The engine's own connections: Django's database, and time as newer builds of SQLite tell it."""

import sqlite3
from typing import Any

import pytest
import sqlalchemy
from django.db import connection

from integrations.engine import connections
from integrations.engine.connections import open_engine
from integrations.engine.tables import table
from intmod_site.database import POOL_MAX_SIZE, widen_pool

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_engine_sees_what_django_wrote() -> None:
    engine = open_engine(size=1)
    sql = f"SELECT count(*) FROM {table('dbos_migrations')}"
    with engine.connect() as opened:
        assert opened.execute(sqlalchemy.text(sql)).scalar() == 1
    engine.dispose()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own")
def test_an_old_sqlite_tells_fractions_of_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    monkeypatch.setattr(connections.time, "time", lambda: 1234.5)
    engine = open_engine(size=1)
    with engine.connect() as opened:
        told = opened.execute(sqlalchemy.text("SELECT unixepoch('subsec'), unixepoch('now')"))
        assert told.one() == (1234.5, 1234)
    engine.dispose()


def test_a_workers_pool_is_as_wide_as_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    pool: dict[str, Any] = {"max_size": POOL_MAX_SIZE}
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"pool": pool})
    widen_pool(64)
    assert pool["max_size"] == 64
    widen_pool(3)
    assert pool["max_size"] == POOL_MAX_SIZE
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {})
    widen_pool(64)
    assert connection.settings_dict["OPTIONS"] == {}
