"""The engine's own tables, as far as they are written and read on Django's connection.

They are made by `migrate` (`schema.py`). Their columns are what `dbos` 3.4.0 uses; a test holds
what is written here against what it writes itself.
"""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection

from intmod_site.database import database_vendor

SCHEMA = "dbos"
APPLICATION = "intmod"
VERSION = "1"
"""Of the jobs' code as a whole: workers take over from each other only within one version."""

OPEN = ("ENQUEUED", "DELAYED", "PENDING")
FAILED = ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


def table(name: str) -> str:
    """Give a table's name for a statement; on PostgreSQL the engine has a schema of its own."""
    return f'"{SCHEMA}"."{name}"' if database_vendor() == "postgresql" else f'"{name}"'


def rows(sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a query in which `{workflow_status}` and the like stand for tables."""
    with connection.cursor() as cursor:
        cursor.execute(sql.format_map(_Names()), list(parameters))
        return list(cursor.fetchall())


def marks(values: Collection[Any]) -> str:
    """Give the placeholders of a list of values."""
    return ", ".join(["%s"] * len(values))


class _Names(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return table(name)
