"""Inserting many rows of one table, faster than model instances can be made.

Rows that are only ever inserted and counted in thousands a second do not need what a model
instance gives. They are tuples in the order of the table's columns; SQLite takes them by one
prepared statement, PostgreSQL by COPY.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection, models

Row = tuple[Any, ...]


class RowTable:
    """A table that rows are appended to.

    Args:
        model: Whose table it is; its primary key is left to the database.
    """

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of a row, in order."""
        fields = self.model._meta.concrete_fields
        return tuple(field.attname for field in fields if not field.primary_key)

    @cached_property
    def _in_order(self) -> Callable[[dict[str, Any]], Row]:
        return itemgetter(*self.columns)

    def row(self, **values: Any) -> Row:
        """Put values into the columns' order.

        Raises:
            KeyError: A column has no value.
        """
        return self._in_order(values)

    def insert(self, rows: Iterable[Row]) -> None:
        """Insert rows, inside the caller's transaction."""
        table = connection.ops.quote_name(self.model._meta.db_table)
        columns = ", ".join(connection.ops.quote_name(name) for name in self.columns)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                copying = cursor.copy(f"COPY {table} ({columns}) FROM STDIN")
                # Django turns the driver's errors into its own in execute() only.
                with connection.wrap_database_errors, copying as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                places = ", ".join(["%s"] * len(self.columns))
                cursor.executemany(
                    f"INSERT INTO {table} ({columns}) VALUES ({places})",  # noqa: S608 -- our own names
                    [tuple(map(_for_sqlite, row)) for row in rows],
                )


def _for_sqlite(value: Any) -> Any:
    adapt = _SQLITE.get(type(value))
    return adapt(value) if adapt else value


# As Django's own fields store them, so that the ORM reads the rows back.
_SQLITE: dict[type, Callable[[Any], Any]] = {
    UUID: lambda value: value.hex,
    datetime: lambda value: str(value.replace(tzinfo=None)),  # all of ours are UTC
    Decimal: str,
}
