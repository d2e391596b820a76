"""Pages of what filters name. Searches that differ in their values only have one statement."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from authz.models import ProjectOwnedQuerySet
from intmod_site.api.pagination import beyond, edge_of, token_after
from intmod_site.prepared import Row, Slot, Statement
from registry.catalog.search.parser import parse_filter
from registry.catalog.search.query import Searched, condition, rarest_tag
from registry.catalog.search.tree import Node, emptied
from registry.models.tags import HEAD_LENGTH

STATEMENTS_KEPT = 500


@dataclass(frozen=True, eq=False)
class Listing:
    """What is listed.

    Args:
        searched: What filters may say.
        rows: All rows, of all projects.
        fields: What is wanted of each.
    """

    searched: Searched
    rows: ProjectOwnedQuerySet[Any]
    fields: tuple[str, ...]

    def page(
        self, text: str, *, project_id: UUID, keyset: tuple[str, ...], size: int, token: str | None
    ) -> tuple[list[Row], str | None]:
        """Give the rows that a filter names, as the driver has them, and the token to go on from.

        One query, and one more where several tags are asked for.

        Args:
            text: The filter.
            project_id: Whose rows.
            keyset: Field names, `-` for descending, the last one unique.
            size: Rows a page.
            token: From an earlier page in the same order; None begins.

        Raises:
            ValidationFailed: It is no filter, it names what cannot be searched by, or the token is
                none of this list's.
        """
        tree = parse_filter(text)
        begin_with = None
        filling: dict[Any, Any] = {"project": project_id}
        if tree is not None:
            begin_with = rarest_tag(tree, replace(self.searched, project_id=project_id))
            tree, filled = emptied(tree, long_from=HEAD_LENGTH)
            filling.update(filled)
        edge = edge_of(token, self.rows.model, keyset) if token else []
        filling.update(enumerate(edge))
        statement = _statement(self, connection.vendor, tree, begin_with, keyset, size, bool(edge))
        rows = statement.cells(filling)
        page = [row[: len(self.fields)] for row in rows[:size]]
        if len(rows) <= size:
            return page, None
        columns, last = _columns(self, keyset), statement.converted(rows[size - 1])
        return page, token_after(last[columns.index(name.lstrip("-"))] for name in keyset)


@lru_cache(maxsize=STATEMENTS_KEPT)
def _statement(
    listing: Listing,
    vendor: str,  # noqa: ARG001 -- SQL is the vendor's
    tree: Node | None,
    begin_with: int | None,
    keyset: tuple[str, ...],
    size: int,
    goes_on: bool,
) -> Statement:
    project = Slot("project")
    rows = listing.rows.in_project(project)
    if tree is not None:
        searched = replace(listing.searched, project_id=project)
        rows = rows.filter(condition(tree, searched, begin_with=begin_with))
    if goes_on:
        rows = rows.filter(beyond(keyset, [Slot(place) for place in range(len(keyset))]))
    return Statement.of(rows.order_by(*keyset).values_list(*_columns(listing, keyset))[: size + 1])


def _columns(listing: Listing, keyset: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys([*listing.fields, *(name.lstrip("-") for name in keyset)]))
