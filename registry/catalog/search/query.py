"""From a filter's tree to a condition of the ORM.

Conditions on tags, aliases and metrics are subqueries: no join multiplies rows, so a page needs no
DISTINCT and the count of queries does not depend on the filter.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_, itemgetter, or_
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, TextField
from django.db.models.functions import Concat

from intmod_site.prepared import Slot
from registry.catalog.search.fields import (
    MODEL_COLUMNS,
    SUFFIXES,
    VERSION_COLUMNS,
    Column,
    number_value,
    text_value,
    whole_value,
)
from registry.catalog.search.parser import parse_filter
from registry.catalog.search.rarest import rarest
from registry.catalog.search.tree import All, Comparison, Node, Not, Some, refuse
from registry.models import ModelAlias, ModelTag, VersionMetric, VersionTag
from registry.models.tags import HEAD_LENGTH

AGGREGATIONS = ("avg", "min", "max", "sum", "count", "p50", "p95", "p99", "latest")
LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Searched:
    """A table that is searched: its columns, and where its tags and aliases are."""

    columns: dict[str, Column] = field(hash=False)
    tags: type[Model]
    alias_owner: str
    has_metrics: bool = False
    project_id: Any = None


MODELS = Searched(MODEL_COLUMNS, ModelTag, "model")
VERSIONS = Searched(VERSION_COLUMNS, VersionTag, "version", has_metrics=True)


def condition_of(text: str, searched: Searched, *, project_id: Any = None) -> Q:
    """Give a filter as a condition on the table's rows; an empty one holds for all.

    One query, if there is a project and several tags are asked for.

    Args:
        text: The filter.
        searched: The table.
        project_id: Whose rows they are; tags are looked up in its part of their index.

    Raises:
        ValidationFailed: It is no filter, or names what cannot be searched by.
    """
    tree = parse_filter(text)
    if tree is None:
        return Q()
    searched = replace(searched, project_id=project_id)
    return condition(tree, searched, begin_with=rarest_tag(tree, searched))


def condition(tree: Node, searched: Searched, *, begin_with: int | None = None) -> Q:
    """Give a tree as a condition.

    Args:
        tree: The filter; its values may be slots.
        searched: The table, and whose rows.
        begin_with: Which of the whole's parts is looked up first; of a row that has that tag, the
            others are looked up.
    """
    if begin_with is None or not isinstance(tree, All):
        return _condition(tree, searched)
    conditions = [_condition(part, searched) for part in tree.parts]
    for place, key, value in _tags_equal(tree):
        if place != begin_with:
            rows = _tags_called(key, searched).filter(_is_value(value))
            conditions[place] = Q(Exists(rows.filter(owner=OuterRef("pk"))))
    return _joined(tree, conditions)


def rarest_tag(tree: Node, searched: Searched) -> int | None:
    """Say which of several tags that all are asked for the fewest rows have: one query."""
    if not isinstance(tree, All) or searched.project_id is None:
        return None
    equal = list(_tags_equal(tree))
    if len(equal) < 2:
        return None
    wanted = [(key, value) for _, key, value in equal]
    return equal[rarest(searched.tags, searched.project_id, wanted)][0]


def _condition(node: Node, searched: Searched) -> Q:
    if isinstance(node, All | Some):
        return _joined(node, [_condition(part, searched) for part in node.parts])
    if isinstance(node, Not):
        return ~_condition(node.part, searched)
    return _comparison(node, searched)


def _joined(node: All | Some, conditions: list[Q]) -> Q:
    return reduce(and_ if isinstance(node, All) else or_, conditions, Q())


def _tags_equal(node: All) -> Iterator[tuple[int, str, Any]]:
    for place, part in enumerate(node.parts):
        if isinstance(part, Comparison) and _is_tag(part) and part.operator == "=":
            yield place, part.field.key, text_value(part, part.values[0])


def _is_tag(comparison: Comparison) -> bool:
    return comparison.field.entity in {"tag", "tags"} and bool(comparison.field.key)


def _comparison(comparison: Comparison, searched: Searched) -> Q:
    field = comparison.field
    entities: dict[str, Callable[[Comparison, Searched], Q]] = {
        "tag": _tag, "tags": _tag, "aliases": _alias, "alias": _alias_name,
    }  # fmt: skip
    if searched.has_metrics:
        entities["metrics"] = _metric
    if not field.key and field.entity in searched.columns:
        return searched.columns[field.entity].condition(comparison)
    if field.entity in entities and bool(field.key) == (field.entity != "alias"):
        return entities[field.entity](comparison, searched)
    offered = [*sorted(searched.columns), "alias", "aliases.name", "tags.key"]
    if searched.has_metrics:
        offered.append("metrics.name.p95")
    raise refuse(f"{field} is none of: {', '.join(offered)}.", position=field.position)


def _tag(comparison: Comparison, searched: Searched) -> Q:
    rows = _tags_called(comparison.field.key, searched)
    operator = comparison.operator
    if operator in {"NULL", "HAS"}:
        return _with(rows, negated=operator == "NULL")
    values = [text_value(comparison, value) for value in comparison.values]
    if operator in {"=", "!=", "IN"}:
        matching = Q()
        for value in values:
            matching |= _is_value(value)
        # Of what has no such tag, none is equal to the value: `!=` holds for it.
        return _with(rows.filter(matching), negated=operator == "!=")
    if operator in {"LIKE", "ILIKE"}:
        lookup = "matches" if operator == "LIKE" else "imatches"
        whole = rows.annotate(whole=Concat("head", "rest", output_field=TextField()))
        return _with(whole.filter(**{f"whole__{lookup}": values[0]}))
    raise refuse(
        "tags are compared by: =, !=, IN, LIKE, ILIKE, IS NULL.", position=comparison.position
    )


def _tags_called(key: str, searched: Searched) -> Any:
    rows: Any = searched.tags._default_manager.filter(key=key)
    return rows if searched.project_id is None else rows.filter(project=searched.project_id)


def _is_value(value: str | Slot) -> Q:
    head = Q(head=_part(value, slice(HEAD_LENGTH)))
    is_long = value.name.is_long if isinstance(value, Slot) else len(value) >= HEAD_LENGTH
    # Only a whole head has a rest: shorter values are told apart by the index alone.
    return head & Q(rest=_part(value, slice(HEAD_LENGTH, None))) if is_long else head


def _part(value: str | Slot, part: slice) -> str | Slot:
    return value.then(itemgetter(part)) if isinstance(value, Slot) else value[part]


def _with(rows: Any, *, negated: bool = False) -> Q:
    if negated:
        return ~Q(Exists(rows.filter(owner=OuterRef("pk"))))
    return Q(pk__in=rows.values("owner"))


def _alias(comparison: Comparison, searched: Searched) -> Q:
    """Give what has an alias; a model's may be compared with the number it points at."""
    rows = ModelAlias.objects.filter(name=comparison.field.key)
    operator = comparison.operator
    if operator in {"NULL", "HAS"}:
        has = Q(pk__in=rows.values(searched.alias_owner))
        return ~has if operator == "NULL" else has
    if operator not in {*SUFFIXES, "!="} or operator == "IN":
        raise refuse(
            "an alias stands alone, or is compared with a number by =, !=, <, <=, >, >=.",
            position=comparison.position,
        )
    number = whole_value(comparison, comparison.values[0])
    if operator == "!=":
        rows = rows.exclude(version__number=number)
    else:
        rows = rows.filter(**{f"version__number{SUFFIXES[operator]}": number})
    return Q(pk__in=rows.values(searched.alias_owner))


def _alias_name(comparison: Comparison, searched: Searched) -> Q:
    name = Column("name", text_value, frozenset({"=", "LIKE", "ILIKE", "IN"}))
    rows = ModelAlias.objects.filter(name.condition(comparison))
    return Q(pk__in=rows.values(searched.alias_owner))


def _metric(comparison: Comparison, _: Searched) -> Q:
    name, dot, aggregation = comparison.field.key.rpartition(".")
    if not dot or aggregation not in AGGREGATIONS:
        name, aggregation = comparison.field.key, LATEST
    rows = VersionMetric.objects.filter(metric=name, aggregation=aggregation)
    operator = comparison.operator
    if operator in {"NULL", "HAS"}:
        has = Q(pk__in=rows.values("version"))
        return ~has if operator == "NULL" else has
    column = Column("value", number_value, frozenset({*SUFFIXES, "!="}))
    return Q(pk__in=rows.filter(column.condition(comparison)).values("version"))
