"""Writing values of a version down: kept once each, the newest of each metric current.

The statements are by hand or prepared: nothing but calls themselves is written more often.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import OuterRef, Subquery

from authz.audit.actor import Actor
from authz.audit.record import difference, record_event
from authz.models import AuditEvent, Project
from intmod_site.database import adapted
from intmod_site.prepared import Prepared
from registry.catalog.search.query import LATEST
from registry.models import MetricSample, ModelVersion, RegisteredModel, VersionMetric

ROWS_AT_ONCE = 100
"""Rows of one INSERT: databases limit how many values a statement may have."""

Value = tuple[str, float, datetime]
"""Metric, value and moment."""


@dataclass(frozen=True, slots=True)
class Locked:
    """A version whose row is locked until the transaction ends."""

    pk: UUID
    number: int
    metrics: dict[str, float]
    model: str


_VERSION = Prepared(
    # The name comes by a subquery, so that only the version's own row is locked.
    lambda project, identifier: (
        ModelVersion.objects.filter(project=project, identifier=identifier)
        .annotate(
            named=Subquery(
                RegisteredModel.objects.existing()
                .order_by()
                .filter(pk=OuterRef("model_id"))
                .values("name")
            )
        )
        .select_for_update(no_key=True)
        .order_by()
        .values_list("pk", "number", "performance_metrics", "named")
    ),
    project=UUID,
    identifier=str,
)
_SAMPLES, _CURRENT = MetricSample._meta.db_table, VersionMetric._meta.db_table
_INSERT = (
    f"INSERT INTO {_SAMPLES} (version_id, metric, value, ts, source) VALUES {{rows}} "  # noqa: S608 -- our own names
    "ON CONFLICT DO NOTHING RETURNING metric, value, ts"
)
_MAKE_CURRENT = (
    f"INSERT INTO {_CURRENT} (version_id, metric, aggregation, value, computed_at) "  # noqa: S608 -- our own names
    "VALUES {rows} ON CONFLICT (version_id, metric, aggregation) "
    "DO UPDATE SET value = excluded.value, computed_at = excluded.computed_at "
    f"WHERE excluded.computed_at >= {_CURRENT}.computed_at RETURNING metric"
)
_SHOW = f"UPDATE {ModelVersion._meta.db_table} SET performance_metrics = %s WHERE id = %s"  # noqa: S608 -- our own name


def locked(project: Project, identifier: str) -> Locked | None:
    """Lock a version by its model_id; None if the project has none."""
    row = _VERSION.first(project=project.pk, identifier=identifier)
    return None if row is None or row[3] is None else Locked(*row)


def keep(*, actor: Actor, project: Project, version: Locked, values: Sequence[Value]) -> int:
    """Keep values that are not there yet, and give how many those are.

    Args:
        actor: Who measured.
        project: Whose version it is.
        version: Locked by this transaction.
        values: In any order; of those of the same moment the last one is the current one.
    """
    fresh = _inserted(version.pk, values)
    newest: dict[str, Value] = {}
    for value in values:
        metric, _, moment = value
        if _key(value) in fresh and (metric not in newest or moment >= newest[metric][2]):
            newest[metric] = value
    current = _made_current(version.pk, newest.values())
    if current:
        after = version.metrics | {name: newest[name][1] for name in current}
        with connection.cursor() as cursor:
            cursor.execute(_SHOW, [json.dumps(after), adapted(version.pk)])
        record_event(
            actor=actor,
            action="modelversion.measure",
            outcome=AuditEvent.Outcome.SUCCESS,
            project=project,
            object_type="modelversion",
            object_id=str(version.pk),
            object_label=f"{version.model}:{version.number}",
            changes=difference(version.metrics, after),
        )
    return len(fresh)


def _inserted(version: UUID, values: Iterable[Value]) -> set[Any]:
    rows = [
        (adapted(version), metric, value, adapted(moment), MetricSample.Source.REPORTED.value)
        for metric, value, moment in values
    ]
    return {_key(row) for row in _returned(_INSERT, rows)}


def _made_current(version: UUID, values: Iterable[Value]) -> list[str]:
    rows = [
        (adapted(version), metric, LATEST, value, adapted(moment))
        for metric, value, moment in values
    ]
    return [metric for (metric,) in _returned(_MAKE_CURRENT, rows)]


def _returned(statement: str, rows: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            batch = rows[start : start + ROWS_AT_ONCE]
            places = ", ".join(["(%s, %s, %s, %s, %s)"] * len(batch))
            cursor.execute(statement.format(rows=places), [cell for row in batch for cell in row])
            yield from cursor.fetchall()


def _key(value: Any) -> tuple[str, float, Any]:
    """Give a value, ours or as the database gave it back, as it can be compared."""
    metric, number, moment = value
    return metric, number, adapted(moment)
