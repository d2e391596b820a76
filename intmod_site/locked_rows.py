"""Rows as they are now, which stay so until the transaction ends."""

from typing import TypeVar

from django.db import models

from intmod_site.api.errors import NotFound

Row = TypeVar("Row", bound=models.Model)


def locked(row: Row, *, missing: NotFound) -> Row:
    """Give a project's row anew, with its project; others may refer to it meanwhile.

    Args:
        row: As it was.
        missing: Raised if it is no more.
    """
    rows = type(row)._default_manager.select_for_update(of=("self",), no_key=True)
    current: Row | None = rows.select_related("project").filter(pk=row.pk).first()
    if current is None:
        raise missing
    return current
