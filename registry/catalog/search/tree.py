"""What a filter says, as a tree. Pure."""

from dataclasses import dataclass
from typing import Final

from intmod_site.api.errors import FieldError, ValidationFailed

Value = str | float | int | bool

ORDERINGS: Final = ("=", "!=", "<", "<=", ">", ">=")
PATTERNS: Final = ("LIKE", "ILIKE")


@dataclass(frozen=True, slots=True)
class Field:
    """What is compared: `name`, or `tags.key`: an entity and a key; and where it stands."""

    entity: str
    key: str
    position: int

    def __str__(self) -> str:
        return f"{self.entity}.{self.key}" if self.key else self.entity


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field, an operator, and what to compare with.

    Operators: those of ORDERINGS and PATTERNS with one value, IN with some, NULL and HAS (the field
    alone) with none. Negations are `Not`.
    """

    field: Field
    operator: str
    values: tuple[Value, ...] = ()
    position: int = 0


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
