"""Which of several tags the fewest rows have: a search that begins with those is done soonest.

Databases reckon with averages over all of a key's values, and SQLite with those of all keys: they
do not know that one team has ten models and another ten thousand.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection, models

from intmod_site.database import adapted
from registry.models.tags import HEAD_LENGTH

COUNTED_AT_MOST = 5000
"""More than these are many, however many more: counting must cost less than it saves."""


def rarest(tags: type[models.Model], project_id: UUID, wanted: Sequence[tuple[str, str]]) -> int:
    """Give the place of the tag that the fewest rows of a project have: one query.

    Args:
        tags: The table of tags.
        project_id: Whose rows.
        wanted: Keys and values, at least one.
    """
    counted = (
        f"(SELECT COUNT(*) FROM (SELECT 1 FROM {tags._meta.db_table} "  # noqa: S608 -- our own names
        f"WHERE project_id = %s AND key = %s AND head = %s LIMIT {COUNTED_AT_MOST}) AS counted)"
    )
    project = adapted(project_id)
    parameters: list[Any] = [
        cell for key, value in wanted for cell in (project, key, value[:HEAD_LENGTH])
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join([counted] * len(wanted))}", parameters)
        counts: list[int] = list(cursor.fetchone())
    return counts.index(min(counts))
