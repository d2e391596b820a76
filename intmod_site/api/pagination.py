"""Keyset pagination: a page costs the same wherever it lies, and nothing is skipped or repeated.

The cursor holds the ordering values of the row at the page's edge. OFFSET would read and drop
all rows before the page, and shift when rows are added meanwhile.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.core.exceptions import FieldDoesNotExist
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model, Q
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from intmod_site.api.errors import ValidationFailed

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Cursor:
    """The edge of a page: its row's ordering values, and on which side the page lies."""

    values: list[Any]
    backwards: bool

    def encode(self) -> str:
        """Give the cursor as text safe in a URL."""
        raw = orjson.dumps([self.backwards, *self.values], default=str)
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, *, length: int) -> "Cursor":
        """Read a cursor of `length` values.

        Raises:
            ValidationFailed: It is not one that `encode` made for this list.
        """
        try:
            padded = text + "=" * (-len(text) % 4)
            backwards, *values = orjson.loads(base64.urlsafe_b64decode(padded))
        except (ValueError, TypeError, binascii.Error):
            raise _bad_cursor() from None
        if not isinstance(backwards, bool) or len(values) != length:
            raise _bad_cursor()
        if not all(isinstance(value, str | int) for value in values):
            raise _bad_cursor()
        return cls(values, backwards)


def _bad_cursor() -> ValidationFailed:
    return ValidationFailed.of("cursor", "Not a cursor of this list; start again without one.")


class KeysetPagination(BasePagination):
    """Pages a queryset by the view's `keyset`: field names, `-` for descending, last one unique."""

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        """Give one page and remember its edges."""
        self.keyset: tuple[str, ...] = getattr(view, "keyset", ("id",))
        self.size = self._page_size(request)
        token = request.query_params.get("cursor")
        cursor = Cursor.decode(token, length=len(self.keyset)) if token else None
        backwards = bool(cursor and cursor.backwards)
        order = [_flip(name) for name in self.keyset] if backwards else list(self.keyset)
        if cursor:
            edge = _typed(queryset.model, order, cursor.values)
            queryset = queryset.filter(beyond(order, edge))
        rows = list(queryset.order_by(*order)[: self.size + 1])
        more = len(rows) > self.size
        rows = rows[: self.size]
        if backwards:
            rows.reverse()
        self.next = self._edge(rows, -1, backwards=False) if more or backwards else None
        self.previous = (
            self._edge(rows, 0, backwards=True) if (more if backwards else cursor) else None
        )
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """Answer with the page and the cursors of its neighbours."""
        return Response({"results": data, "next": self.next, "previous": self.previous})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe the page for OpenAPI."""
        cursor = {"type": ["string", "null"], "description": "Pass it as `cursor`."}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": cursor, "previous": cursor},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe `cursor` and `page_size` for OpenAPI."""
        return [
            {
                "name": "cursor",
                "in": "query",
                "description": "Where to go on: `next` or `previous` of a page.",
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_PAGE_SIZE,
                    "default": DEFAULT_PAGE_SIZE,
                },
            },
        ]

    @staticmethod
    def _page_size(request: Any) -> int:
        text = request.query_params.get("page_size", str(DEFAULT_PAGE_SIZE))
        if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_PAGE_SIZE:
            return int(text)
        raise ValidationFailed.of("page_size", f"A whole number from 1 to {MAX_PAGE_SIZE}.")

    def _edge(self, rows: list[Any], index: int, *, backwards: bool) -> str | None:
        if not rows:
            return None
        values = [_value(rows[index], name.lstrip("-")) for name in self.keyset]
        return Cursor(values, backwards).encode()


def beyond(keyset: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows after an edge: greater in the first field, or equal there and greater next."""
    condition, equal = Q(), Q()
    for name, value in zip(keyset, values, strict=True):
        field = name.lstrip("-")
        comparison = "lt" if name.startswith("-") else "gt"
        condition |= equal & Q(**{f"{field}__{comparison}": value})
        equal &= Q(**{field: value})
    return condition


def edge_of(token: str, model: type[Model], keyset: Sequence[str]) -> list[Any]:
    """Give the values of the row that a page begins after.

    Raises:
        ValidationFailed: The token is of no list in this order.
    """
    values = Cursor.decode(token, length=len(keyset)).values
    return _typed(model, keyset, values)


def token_after(values: Iterable[Any]) -> str:
    """Give the cursor that goes on from a row, of its values in the order of the keyset."""
    return Cursor([_written(value) for value in values], backwards=False).encode()


def _flip(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _value(row: Any, field: str) -> Any:
    for part in field.split("__"):
        row = getattr(row, part)
    return _written(row)


def _written(value: Any) -> str | int:
    """Give a value as it stands in a cursor."""
    return value if isinstance(value, int) else str(value)


def _typed(model: type[Model], keyset: Sequence[str], values: Sequence[Any]) -> list[Any]:
    return [
        _read(model, name.lstrip("-"), value) for name, value in zip(keyset, values, strict=True)
    ]


def _read(model: type[Model], field: str, raw: Any) -> Any:
    """Read the cursor's value as the field's type, so that a forged one is a 400."""
    *through, last = field.split("__")
    try:
        for part in through:
            model = model._meta.get_field(part).related_model  # type: ignore[assignment]
        value = model._meta.get_field(last).to_python(raw)  # type: ignore[union-attr]
    except (DjangoValidationError, FieldDoesNotExist, OverflowError, TypeError, ValueError):
        raise _bad_cursor() from None
    if type(raw) is not type(_written(value)) or raw != _written(value) or not _storable(value):
        raise _bad_cursor()
    return value


def _storable(value: Any) -> bool:
    """Whether every database can compare with it."""
    if isinstance(value, int):
        return abs(value) < 2**63
    if isinstance(value, datetime):
        # Rows give UTC; any other offset was not written by `encode`, and may leave the calendar.
        return value.utcoffset() == timedelta(0)
    return "\x00" not in str(value)
