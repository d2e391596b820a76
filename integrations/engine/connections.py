"""SQLAlchemy's way into Django's database: the engine opens its connections as Django does."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy
from django.db import connection
from sqlalchemy.pool import QueuePool

from intmod_site.database import BUSY_TIMEOUT_S

_SUBSECOND_SINCE = (3, 42)
_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}",
    "PRAGMA journal_mode=WAL",
    # A power cut may cost the last steps' records; those steps are done again.
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
)


def open_engine(*, size: int) -> sqlalchemy.Engine:
    """Give an engine on the database of Django's settings.

    Args:
        size: Connections that it may hold at once.
    """
    if connection.vendor == "sqlite":
        path = str(connection.settings_dict["NAME"])
        return sqlalchemy.create_engine(
            f"sqlite:///{Path(path).absolute()}",
            creator=lambda: _open_sqlite(path), poolclass=QueuePool, pool_size=size,
            max_overflow=0,
        )  # fmt: skip
    parameters = _postgresql_parameters()
    return sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: _open_postgresql(parameters), pool_size=size,
        max_overflow=0, pool_pre_ping=True, use_native_hstore=False,
    )  # fmt: skip


def _open_sqlite(path: str) -> sqlite3.Connection:
    opened = sqlite3.connect(path, check_same_thread=False, isolation_level="IMMEDIATE")
    for pragma in _PRAGMAS:
        opened.execute(pragma)
    if sqlite3.sqlite_version_info < _SUBSECOND_SINCE:
        # The engine asks for `unixepoch('subsec')`, which SQLite knows since 3.42.
        # https://www.sqlite.org/lang_datefunc.html
        opened.create_function("unixepoch", 1, _epoch)
    return opened


def _epoch(modifier: Any) -> float:
    return time.time() if modifier == "subsec" else int(time.time())


def _postgresql_parameters() -> dict[str, Any]:
    parameters = connection.get_connection_params()
    # What is left out concerns how Django reads rows.
    for name in ("context", "cursor_factory", "pool"):
        parameters.pop(name, None)
    return dict(parameters)


def _open_postgresql(parameters: dict[str, Any]) -> Any:
    import psycopg

    return psycopg.connect(**parameters)
