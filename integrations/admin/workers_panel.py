"""What the page of workers shows below the list: as many queries, however much there is to do."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Value
from django.utils import timezone

from integrations.engine.overview import failures, queue_states
from integrations.models import PeriodicJob, ReceivedEvent, WebhookDelivery, Worker

TONES = {"done": "good", "failed": "bad", "": "quiet"}


def panel() -> dict[str, Any]:
    """Give the panel's parts."""
    failed, latest = failures()
    alive, *others = _counts()
    return {
        "alive": alive["count"],
        "queues": queue_states(),
        "others": others,
        "failed": failed,
        "failures": latest,
        "periodic": _periodic(),
    }


def _counts() -> list[dict[str, Any]]:
    """Count the workers, and what is due beside jobs, with since when: in one query."""
    now = timezone.now()
    due: list[tuple[str, Any, str]] = [
        ("Workers", Worker.objects.alive(now), "seen_at"),
        (
            "Webhook deliveries",
            WebhookDelivery.objects.filter(state="pending", next_attempt_at__lte=now),
            "next_attempt_at",
        ),
        (
            "Received events",
            ReceivedEvent.objects.filter(state="waiting", next_at__lte=now),
            "next_at",
        ),
    ]
    parts = [
        rows.order_by()
        .annotate(place=Value(place))
        .values("place")
        .annotate(count=Count("pk"), since=Min(column))
        for place, (_, rows, column) in enumerate(due)
    ]
    found = {row["place"]: row for row in parts[0].union(*parts[1:], all=True)}
    none = {"count": 0, "since": None}
    return [
        {
            "what": what,
            "count": found.get(place, none)["count"],
            "oldest_s": _age_s(found.get(place, none)["since"], now),
        }
        for place, (what, _, _) in enumerate(due)
    ]


def _age_s(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else (now - since).total_seconds()


def _periodic() -> list[dict[str, Any]]:
    known = {row.name: row for row in PeriodicJob.objects.all()}
    return [
        {
            "name": name,
            "when": _told(row),
            "run": known.get(name),
            "tone": TONES[known[name].outcome] if name in known else "quiet",
        }
        for name, row in settings.PERIODIC_JOBS.items()
    ]


def _told(row: dict[str, str | float]) -> str:
    """Say when a job is due."""
    if "at" in row:
        return f"at {row['at']} UTC"
    every_s = float(row["every_s"])
    for unit, seconds in (("h", 3600), ("min", 60)):
        if every_s % seconds == 0:
            return f"every {every_s / seconds:g} {unit}"
    return f"every {every_s:g} s"
