"""The engine's tables: made by `migrate`, asked after by /readyz."""

from django.db import OperationalError, ProgrammingError, connection, transaction

from integrations.engine.tables import rows

SCHEMA_VERSION = 125
"""What `dbos` 3.4.0 brings its tables to."""


def create_tables() -> None:
    """Make the engine's tables, or bring them up to date."""
    from integrations.engine import dbos_adapter

    dbos_adapter.create_tables()


def check_tables() -> str:
    """Say `ok`, or what is wrong with the engine's tables.

    Raises:
        django.db.DatabaseError: The database does not answer.
    """
    try:
        # A statement that fails must not spoil a transaction that somebody else began.
        with transaction.atomic(savepoint=connection.in_atomic_block):
            found = rows("SELECT version FROM {dbos_migrations}")
    except (ProgrammingError, OperationalError) as error:
        if isinstance(error, OperationalError) and "no such table" not in str(error):
            raise
        return "the engine's tables are not there; run manage.py migrate"
    if not found or found[0][0] < SCHEMA_VERSION:
        return "the engine's tables are old; run manage.py migrate"
    return "ok"
