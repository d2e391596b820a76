"""Statements that are put together once and then only run.

Building a query by the ORM takes several times as long as running it. Where that shows, the ORM
builds it once for each kind of database, with values that stand for the later ones.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.db import connection, connections, models

from intmod_site.database import adapted

Instance = TypeVar("Instance", bound=models.Model)

_STAND_INS: dict[type, Callable[[], Any]] = {
    UUID: uuid4,
    str: lambda: uuid4().hex,
    # Within what any column of whole numbers holds, and no number that a query has otherwise.
    int: lambda: uuid4().int % 10**8 + 10**9,
}


class Prepared:
    """A query with parameters.

    Args:
        build: Gives the query, a `values_list`; called once for each kind of database, with one
            stand-in for each parameter. It may compare with them, and must not compute with them.
        parameters: Their names and types: UUID, str (not empty) or int (of 31 bits).
    """

    def __init__(self, build: Callable[..., "models.QuerySet[Any, Any]"], **parameters: type):
        self._build = build
        self._parameters = parameters
        self._compiled: dict[str, tuple[str, list[Any], list[str], list[Any]]] = {}

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run it, and give all rows."""
        sql, fixed, places, converters = self._compiled.get(connection.vendor) or self._compile()
        given = {name: adapted(value) for name, value in values.items()}
        parameters = [
            given[name] if name else value for name, value in zip(places, fixed, strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        if not converters:
            return rows
        return [_converted(row, converters) for row in rows]

    def first(self, **values: Any) -> tuple[Any, ...] | None:
        """Give the first row, if there is one; for queries that find one at most."""
        rows = self.rows(**values)
        return rows[0] if rows else None

    def _compile(self) -> tuple[str, list[Any], list[str], list[Any]]:
        stand_ins = {name: _STAND_INS[kind]() for name, kind in self._parameters.items()}
        compiler = self._build(**stand_ins).query.get_compiler(connection=connection)
        sql, fixed = compiler.as_sql()
        names = {adapted(value): name for name, value in stand_ins.items()}
        places = [names.get(value, "") if _hashable(value) else "" for value in fixed]
        if missing := set(stand_ins) - set(places):
            raise TypeError(f"The query does not compare with: {', '.join(sorted(missing))}.")
        found = compiler.get_converters(column for column, *_ in compiler.select)
        converters = [(place, *found[place]) for place in sorted(found)]
        compiled = (sql, list(fixed), places, converters)
        self._compiled[connection.vendor] = compiled
        return compiled


@cache
def columns_of(model: type[models.Model]) -> list[str]:
    """Name a model's columns, for the `values_list` that `instance_of` takes a row of."""
    return [field.attname for field in model._meta.concrete_fields]


def instance_of(model: type[Instance], row: Iterable[Any]) -> Instance:
    """Make an instance of a row with all columns."""
    return model.from_db(connection.alias, columns_of(model), row)  # type: ignore[arg-type]


def insert(instance: models.Model) -> None:
    """Insert a new row whose values are known to be good; a key from the database is not read."""
    database = connections[connection.alias]
    sql, fields = _insertion(type(instance), database.vendor)
    values = [field.get_db_prep_save(field.pre_save(instance, True), database) for field in fields]
    with database.cursor() as cursor:
        cursor.execute(sql, values)
    instance._state.adding = False
    instance._state.db = database.alias


@cache
def _insertion(model: type[models.Model], vendor: str) -> tuple[str, list[Any]]:  # noqa: ARG001 -- quoting is the vendor's
    fields = [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key and isinstance(field, models.AutoField))
    ]
    names = ", ".join(connection.ops.quote_name(field.column or "") for field in fields)
    places = ", ".join(["%s"] * len(fields))
    table = connection.ops.quote_name(model._meta.db_table)
    return f"INSERT INTO {table} ({names}) VALUES ({places})", fields  # noqa: S608 -- our own names


def _converted(row: tuple[Any, ...], converters: list[Any]) -> tuple[Any, ...]:
    values = list(row)
    for place, functions, expression in converters:
        value = values[place]
        for function in functions:
            value = function(value, expression, connection)
        values[place] = value
    return tuple(values)


def _hashable(value: Any) -> bool:
    return isinstance(value, str | int | UUID)
