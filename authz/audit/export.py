"""Exporting the audit log: one event a line, with its code and its place in the chain."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from authz.audit.record import MACED
from authz.models import AuditEvent, AuditSeal

BATCH = 1000
FORMATS = ("ndjson", "csv")
COLUMNS = ("id", "seq", *MACED, "mac", "chain_hash")


def exported(
    *, since: datetime | None = None, until: datetime | None = None, project_id: UUID | None = None
) -> Iterator[dict[str, Any]]:
    """Give events as JSON values, oldest first; seq and chain_hash are None before sealing.

    Args:
        since, until: From, and before, which moment.
        project_id: Of one project only.
    """
    rows = AuditEvent.objects.order_by("id")
    if since is not None:
        rows = rows.filter(occurred_at__gte=since)
    if until is not None:
        rows = rows.filter(occurred_at__lt=until)
    if project_id is not None:
        rows = rows.filter(project_id=project_id)
    after = 0
    while batch := list(rows.filter(pk__gt=after).values("id", "mac", *MACED)[:BATCH]):
        ids = [row["id"] for row in batch]
        seals = AuditSeal.objects.filter(event_id__in=ids).order_by()
        places = {
            event_id: (seq, chain_hash)
            for event_id, seq, chain_hash in seals.values_list("event_id", "seq", "chain_hash")
        }
        for row in batch:
            seq, chain_hash = places.get(row["id"], (None, None))
            yield _as_json(row | {"seq": seq, "chain_hash": chain_hash})
        after = ids[-1]


def write_ndjson(events: Iterator[dict[str, Any]], out: Any) -> Iterator[int]:
    """Write one JSON object a line; gives 1 after each."""
    for event in events:
        out.write(json.dumps(event, ensure_ascii=False) + "\n")
        yield 1


def write_csv(events: Iterator[dict[str, Any]], out: Any) -> Iterator[int]:
    """Write a table that spreadsheets take as text; gives 1 after each row."""
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for event in events:
        table.writerow([_cell(event[name]) for name in COLUMNS])
        yield 1


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    row["occurred_at"] = row["occurred_at"].isoformat()
    row["project_id"] = str(row["project_id"]) if row["project_id"] else None
    return {name: row[name] for name in COLUMNS}


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    # Names are people's own: one that begins like a formula must not become one.
    # https://owasp.org/www-community/attacks/CSV_Injection
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
