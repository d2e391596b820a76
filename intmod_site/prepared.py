"""Statements that are put together once and then only run.

Building a query by the ORM takes several times as long as running it. Where that shows, the ORM
builds it once for each kind of database, with slots for values that come later.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Any, Self, TypeVar

from django.db import connection, connections, models

from intmod_site.database import adapted

Instance = TypeVar("Instance", bound=models.Model)
Row = tuple[Any, ...]
Step = Callable[[Any], Any]


class Slot(models.Expression):
    """What a query is built with where a value comes later.

    Args:
        name: Which value.
        steps: What is done with it before the database gets it.
    """

    def __init__(self, name: Any, steps: tuple[Step, ...] = ()):
        super().__init__()
        self.name = name
        self.steps = steps

    def then(self, step: Step) -> Self:
        """Give a slot for the same value with one thing more done to it."""
        return type(self)(self.name, (*self.steps, step))

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Stand among the parameters, for whoever runs the statement to fill."""
        return "%s", (self,)

    def filled(self, values: Mapping[Any, Any]) -> Any:
        """Give what the database gets."""
        value = values[self.name]
        for step in self.steps:
            value = step(value)
        return adapted(value)


@dataclass(frozen=True, slots=True)
class Statement:
    """A `values_list` as SQL, with slots among its parameters, and what makes cells the ORM's."""

    sql: str
    parameters: tuple[Any, ...]
    converters: list[Any]

    @classmethod
    def of(cls, queryset: "models.QuerySet[Any, Any]") -> Self:
        """Write a query for the database that is in use."""
        compiler = queryset.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        found = compiler.get_converters(column for column, *_ in compiler.select)
        return cls(sql, tuple(parameters), [(place, *found[place]) for place in sorted(found)])

    def cells(self, values: Mapping[Any, Any]) -> list[Row]:
        """Run it, and give all rows as the driver has them: what is not looked at costs nothing."""
        return cells(
            self.sql,
            [part.filled(values) if type(part) is Slot else part for part in self.parameters],
        )

    def converted(self, row: Row) -> Row:
        """Give a row as the ORM would."""
        if not self.converters:
            return row
        values = list(row)
        for place, functions, expression in self.converters:
            value = values[place]
            for function in functions:
                value = function(value, expression, connection)
            values[place] = value
        return tuple(values)


class Prepared:
    """A query with parameters.

    Args:
        build: Gives the query, a `values_list`; called once for each kind of database, with a slot
            for each of its parameters. It may compare with them, and must not compute with them.
    """

    def __init__(self, build: Callable[..., "models.QuerySet[Any, Any]"]):
        self._build = build
        self._statements: dict[str, Statement] = {}

    def rows(self, **values: Any) -> list[Row]:
        """Run it, and give all rows."""
        statement = self._statement()
        return [statement.converted(row) for row in statement.cells(values)]

    def cells(self, **values: Any) -> list[Row]:
        """Run it, and give all rows as the driver has them."""
        return self._statement().cells(values)

    def first(self, **values: Any) -> Row | None:
        """Give the first row, if there is one; for queries that find one at most."""
        rows = self.rows(**values)
        return rows[0] if rows else None

    def _statement(self) -> Statement:
        return self._statements.get(connection.vendor) or self._compiled()

    def _compiled(self) -> Statement:
        slots = {name: Slot(name) for name in signature(self._build).parameters}
        statement = Statement.of(self._build(**slots))
        placed = {part.name for part in statement.parameters if isinstance(part, Slot)}
        if missing := set(slots) - placed:
            raise TypeError(f"The query does not compare with: {', '.join(sorted(missing))}.")
        self._statements[connection.vendor] = statement
        return statement


def cells(sql: str, parameters: Sequence[Any]) -> list[Row]:
    """Run a statement, and give its rows as the driver has them."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[Row] = cursor.fetchall()
    return rows


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
