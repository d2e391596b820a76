"""One row by a statement written by hand, straight from the driver.

Django's cursors convert the statement, wrap each step and, on PostgreSQL, put the parameters into
the text: for a query that every call makes this costs several times what the query does.
"""

from functools import lru_cache
from typing import Any

from django.db import connections

Row = tuple[Any, ...]


def first_row(statement: str, parameters: list[Any]) -> Row | None:
    """Give a SELECT's first row, None if there is none.

    Values come as the driver has them: on PostgreSQL as text, except within a transaction or
    where queries are recorded, which is Django's own way.

    Args:
        statement: With %s for each parameter, and no other %.
        parameters: Text that the database can read as the column's type; no NULL.

    Raises:
        django.db.Error: As of any query.
    """
    wrapper: Any = connections["default"]
    if wrapper.in_atomic_block or wrapper.queries_logged or wrapper.execute_wrappers:
        with wrapper.cursor() as cursor:
            cursor.execute(statement, parameters)
            row: Row | None = cursor.fetchone()
            return row
    wrapper.ensure_connection()
    text = _for_driver(statement, wrapper.vendor)
    with wrapper.wrap_database_errors:
        if wrapper.vendor == "postgresql":
            from intmod_site.postgresql import first_text_row

            return first_text_row(wrapper.connection, text, parameters)
        found: Row | None = wrapper.connection.execute(text, parameters).fetchone()
    return found


@lru_cache(maxsize=64)
def _for_driver(statement: str, vendor: str) -> str:
    pieces = statement.split("%s")
    if vendor == "sqlite":
        return "?".join(pieces)
    numbered = [f"{piece}${number}" for number, piece in enumerate(pieces[:-1], 1)]
    return "".join([*numbered, pieces[-1]])
