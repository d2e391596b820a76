"""Keyset pagination: a page costs the same wherever it lies, and nothing is skipped or repeated.

The cursor holds the ordering values of the row at the page's edge. OFFSET would read and drop
all rows before the page, and shift when rows are added meanwhile.
"""

import base64
import binascii
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
            queryset = queryset.filter(self._beyond(queryset.model, order, cursor.values))
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

    @staticmethod
    def _beyond(model: type[Model], order: list[str], values: list[Any]) -> Q:
        """Rows after the edge: greater in the first field, or equal there and greater next."""
        condition, equal = Q(), Q()
        for name, raw in zip(order, values, strict=True):
            field = name.lstrip("-")
            value = _typed(model, field, raw)
            comparison = "lt" if name.startswith("-") else "gt"
            condition |= equal & Q(**{f"{field}__{comparison}": value})
            equal &= Q(**{field: value})
        return condition


def page_after(
    queryset: Any, *, keyset: tuple[str, ...], size: int, cursor: str | None
) -> tuple[list[Any], str | None]:
    """Give the page of a queryset after a cursor, and the cursor to go on from; None at the end.

    Args:
        queryset: Of rows, or of `values()` that have the keyset's columns.
        keyset: Field names, `-` for descending, the last one unique.
        size: Rows a page.
        cursor: From an earlier page of the same keyset; None begins.

    Raises:
        ValidationFailed: The cursor is none of this list's.
    """
    if cursor:
        edge = Cursor.decode(cursor, length=len(keyset))
        beyond = KeysetPagination._beyond(queryset.model, list(keyset), edge.values)
        queryset = queryset.filter(beyond)
    rows = list(queryset.order_by(*keyset)[: size + 1])
    if len(rows) <= size:
        return rows, None
    last = rows[size - 1]
    values = [_value(last, name.lstrip("-")) for name in keyset]
    return rows[:size], Cursor(values, backwards=False).encode()


def _flip(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _value(row: Any, field: str) -> Any:
    if isinstance(row, dict):
        return _written(row[field])
    for part in field.split("__"):
        row = getattr(row, part)
    return _written(row)


def _written(value: Any) -> str | int:
    """Give a value as it stands in a cursor."""
    return value if isinstance(value, int) else str(value)


def _typed(model: type[Model], field: str, raw: Any) -> Any:
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
