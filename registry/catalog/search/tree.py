"""What a filter says, as a tree. Pure."""

import dataclasses
from dataclasses import dataclass
from typing import Final, NamedTuple

from intmod_site.api.errors import FieldError, ValidationFailed

Value = str | float | int | bool

ORDERINGS: Final = ("=", "!=", "<", "<=", ">", ">=")
PATTERNS: Final = ("LIKE", "ILIKE")


class Place(NamedTuple):
    """Stands where a value comes later: which of them, and whether it is a long text."""

    number: int
    is_long: bool


@dataclass(frozen=True, slots=True)
class Field:
    """What is compared: `name`, or `tags.key`: an entity and a key; and where it stands."""

    entity: str
    key: str
    position: int = dataclasses.field(compare=False)

    def __str__(self) -> str:
        return f"{self.entity}.{self.key}" if self.key else self.entity


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field, an operator, and what to compare with.

    Operators: those of ORDERINGS and PATTERNS with one value, IN with some, NULL and HAS (the field
    alone) with none. Negations are `Not`. Comparisons are equal wherever they stand.
    """

    field: Field
    operator: str
    values: tuple["Value | Place", ...] = ()
    position: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Its part does not hold."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class All:
    """All parts hold."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds."""

    parts: tuple["Node", ...]


Node = Comparison | Not | All | Some

Filling = tuple[Comparison, Value | Place]


def emptied(tree: Node, *, long_from: int) -> tuple[Node, dict[Place, Filling]]:
    """Give what a tree has in common with others, and what it has not: its values.

    Args:
        tree: A filter with values.
        long_from: Characters from which on a text is a long one.
    """
    filled: dict[Place, Filling] = {}
    return _emptied(tree, filled, long_from), filled


def _emptied(node: Node, filled: dict[Place, Filling], long_from: int) -> Node:
    if isinstance(node, All | Some):
        return type(node)(tuple(_emptied(part, filled, long_from) for part in node.parts))
    if isinstance(node, Not):
        return Not(_emptied(node.part, filled, long_from))
    places = []
    for value in node.values:
        place = Place(len(filled), isinstance(value, str) and len(value) >= long_from)
        filled[place] = (node, value)
        places.append(place)
    return Comparison(node.field, node.operator, tuple(places), node.position)


def refuse(message: str, *, position: int, parameter: str = "filter") -> ValidationFailed:
    """Give the error that says where in a filter something is wrong.

    Args:
        message: What was expected.
        position: Character, counted from 1.
        parameter: Which parameter the text is.
    """
    text = f"At character {position}: {message}"
    return ValidationFailed(
        f"{parameter}: {text}", fields=(FieldError(f"/{parameter}", "invalid_filter", text),)
    )
