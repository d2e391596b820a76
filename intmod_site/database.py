"""How the two databases are opened, and when a connection is given back."""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from environ import Env

STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 20_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000
BUSY_TIMEOUT_S = 20
POOL_MAX_SIZE = 20


def database_settings(url: str) -> dict[str, Any]:
    """Turn a DATABASE_URL into Django's settings for one database.

    SQLite keeps its connections: opening one costs more than most requests. PostgreSQL uses
    psycopg's pool, which needs Django's own persistence off.
    https://docs.djangoproject.com/en/5.2/ref/databases/
    """
    settings = dict(Env.db_url_config(url))
    if settings["ENGINE"] == "django.db.backends.sqlite3":
        settings |= {
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                # Write transactions take the lock when they begin, so that two of them queue
                # up instead of one failing when it turns from reading to writing.
                # https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-transaction-behavior
                "transaction_mode": "IMMEDIATE",
                "timeout": BUSY_TIMEOUT_S,
                # recursive_triggers: without it INSERT OR REPLACE deletes rows unseen by the
                # triggers that keep the audit log append-only.
                # https://www.sqlite.org/pragma.html#pragma_recursive_triggers
                "init_command": (
                    "PRAGMA journal_mode=WAL;"
                    "PRAGMA synchronous=FULL;"
                    "PRAGMA recursive_triggers=ON;"
                    "PRAGMA foreign_keys=ON;"
                ),
            },
        }
    elif settings["ENGINE"] == "django.db.backends.postgresql":
        # psycopg is an extra: it is there only where PostgreSQL is used.
        from intmod_site.postgresql import KEEPALIVES, LiveConnection

        options = settings.setdefault("OPTIONS", {})
        options.update(KEEPALIVES)
        options["pool"] = {
            "min_size": 1,
            "max_size": POOL_MAX_SIZE,
            "timeout": 10,
            "connection_class": LiveConnection,
        }
        options["options"] = (
            f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
            f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
        )
        settings["CONN_MAX_AGE"] = 0
        # The pool then asks a connection whether it lives before it hands it out.
        settings["CONN_HEALTH_CHECKS"] = True
    return settings


def widen_pool(threads: int) -> None:
    """Let this process, which has so many threads, hold a connection in each of them.

    Before its first query: the pool is made then. SQLite has no pool.
    """
    pool = connection.settings_dict["OPTIONS"].get("pool")
    if pool:
        pool["max_size"] = max(POOL_MAX_SIZE, threads)


@cache
def database_vendor() -> str:
    """Give `sqlite` or `postgresql`, without finding this thread's connection each time."""
    return connection.vendor


def adapted(value: Any) -> Any:
    """Give a UUID or a moment in UTC as the driver takes it, for statements written by hand.

    Django's own adaptation asks each time in which zone a moment is.
    """
    if database_vendor() != "sqlite":
        return value
    if isinstance(value, UUID):
        return value.hex
    return str(value.replace(tzinfo=None)) if isinstance(value, datetime) else value


def release_connection() -> None:
    """Give this thread's connection back before a long wait for somebody else.

    Many calls wait for models at once; a pool of 20 connections serves them all only if none
    is held while waiting. SQLite's connections are cheap and stay.
    """
    if database_vendor() == "postgresql" and not connection.in_atomic_block:
        connection.close()
