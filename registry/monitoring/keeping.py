"""Writing values of a version down: kept once each, the newest of each metric current.

The statements are by hand or prepared: nothing but calls themselves is written more often.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import OuterRef, Subquery

from authz.audit.actor import Actor
from authz.audit.record import Happened, difference, record_events
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


Measured = tuple["Report", Locked, Sequence[Value]]
"""What one report says of one version."""

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
)
_SAMPLES, _CURRENT = MetricSample._meta.db_table, VersionMetric._meta.db_table
_INSERT = (
    f"INSERT INTO {_SAMPLES} (version_id, metric, value, ts, source) VALUES {{rows}} "  # noqa: S608 -- our own names
    "ON CONFLICT DO NOTHING RETURNING version_id, metric, value, ts"
)
_SINCE = (
    f"SELECT version_id, metric, computed_at FROM {_CURRENT} "  # noqa: S608 -- our own names
    f"WHERE aggregation = '{LATEST}' AND (version_id, metric) IN (VALUES {{rows}})"
)
_MAKE_CURRENT = (
    f"INSERT INTO {_CURRENT} (version_id, metric, aggregation, value, computed_at) "  # noqa: S608 -- our own names
    "VALUES {rows} ON CONFLICT (version_id, metric, aggregation) "
    "DO UPDATE SET value = excluded.value, computed_at = excluded.computed_at"
)
_SHOW = f"UPDATE {ModelVersion._meta.db_table} SET performance_metrics = %s WHERE id = %s"  # noqa: S608 -- our own name


@dataclass(frozen=True, slots=True)
class Report:
    """What one caller measured.

    Args:
        actor: Who measured.
        project: Whose versions.
        values: By model_id; of those of the same moment the last one is the current one.
        request_id: On which request; empty for none.
    """

    actor: Actor
    project: Project
    values: Mapping[str, Sequence[Value]]
    request_id: str

    @property
    def size(self) -> int:
        """How many values there are."""
        return sum(map(len, self.values.values()))


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a report.

    Args:
        count: How many of its values were not there yet.
        missing: Names that no version of the project has; nothing is kept then.
    """

    count: int
    missing: frozenset[str] = frozenset()


def keep(reports: Sequence[Report]) -> list[Kept]:
    """Keep the values of reports that are not there yet, as if one report came after the other.

    Inside the caller's transaction, which has the versions' rows from then on.
    """
    versions = _locked(reports)
    outcomes, sound = [], []
    for report in reports:
        missing = frozenset(
            name for name in report.values if versions[report.project.pk, name] is None
        )
        outcomes.append(Kept(0, missing))
        if not missing:
            sound.append(report)
    counts = _kept(
        [
            (report, version, values)
            for report in sound
            for name, values in report.values.items()
            if (version := versions[report.project.pk, name]) is not None
        ]
    )
    return [
        each if each.missing else Kept(counts[id(report)])
        for report, each in zip(reports, outcomes, strict=True)
    ]


def _kept(measured: Sequence[Measured]) -> Counter[int]:
    """Keep what was measured, and give how many values of each report were fresh, by its `id`."""
    fresh = _inserted(measured)
    moments = _current_moments(measured)
    owners: dict[Any, int] = {}
    newest: dict[tuple[Any, str], Value] = {}
    shown: dict[UUID, dict[str, float]] = {}
    happened = []
    for report, version, values in measured:
        before = shown.get(version.pk, version.metrics)
        after, moved = dict(before), False
        for value in values:
            metric, number, _ = value
            key = _key(version.pk, *value)
            # What was there, or an earlier report of these brought, is nothing new.
            if key not in fresh or owners.setdefault(key, id(report)) != id(report):
                continue
            place = (key[0], metric)
            if place not in moments or key[3] >= moments[place]:
                moments[place], newest[place], after[metric] = key[3], value, number
                moved = True
        if moved:
            shown[version.pk] = after
            happened.append(_measured(report, version, difference(before, after)))
    _make_current(newest, shown)
    record_events(happened)
    return Counter(owners.values())


def _measured(report: Report, version: Locked, changes: dict[str, list[Any]]) -> Happened:
    return Happened(
        actor=report.actor,
        action="modelversion.measure",
        outcome=AuditEvent.Outcome.SUCCESS,
        project=report.project,
        object_type="modelversion",
        object_id=str(version.pk),
        object_label=f"{version.model}:{version.number}",
        changes=changes,
        request_id=report.request_id,
    )


def _locked(reports: Iterable[Report]) -> dict[tuple[UUID, str], Locked | None]:
    """Lock the versions, in one order, so that two who write about the same ones do not block."""
    names = {(report.project.pk, name) for report in reports for name in report.values}
    versions: dict[tuple[UUID, str], Locked | None] = {}
    for project, name in sorted(names):
        row = _VERSION.first(project=project, identifier=name)
        versions[project, name] = None if row is None or row[3] is None else Locked(*row)
    return versions


def _inserted(measured: Iterable[Measured]) -> set[Any]:
    source = MetricSample.Source.REPORTED.value
    rows = [
        (adapted(version.pk), metric, value, adapted(moment), source)
        for _, version, values in measured
        for metric, value, moment in values
    ]
    # The driver gives moments as what their columns say, or as they are stored.
    return {(*row[:3], adapted(row[3])) for row in _returned(_INSERT, rows)}


def _current_moments(
    measured: Iterable[Measured],
) -> dict[tuple[Any, str], Any]:
    """Give since when each metric's current value stands, as the database has moments."""
    rows = {
        (adapted(version.pk), metric) for _, version, values in measured for metric, *_ in values
    }
    return {
        (version, metric): adapted(moment)
        for version, metric, moment in _returned(_SINCE, sorted(rows))
    }


def _make_current(
    newest: Mapping[tuple[Any, str], Value], shown: Mapping[UUID, dict[str, float]]
) -> None:
    rows = [
        (version, metric, LATEST, value, adapted(moment))
        for (version, metric), (_, value, moment) in newest.items()
    ]
    for _ in _returned(_MAKE_CURRENT, rows):
        pass
    with connection.cursor() as cursor:
        for version, values in shown.items():
            cursor.execute(_SHOW, [json.dumps(values), adapted(version)])


def _returned(statement: str, rows: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            batch = rows[start : start + ROWS_AT_ONCE]
            row = f"({', '.join(['%s'] * len(batch[0]))})"
            places = ", ".join([row] * len(batch))
            cursor.execute(statement.format(rows=places), [cell for row in batch for cell in row])
            if cursor.description:
                yield from cursor.fetchall()


def _key(version: UUID, metric: str, value: float, moment: datetime) -> tuple[Any, ...]:
    """Give a value as the database gives it back."""
    return adapted(version), metric, value, adapted(moment)
