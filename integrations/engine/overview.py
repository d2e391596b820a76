"""What the engine has to do, does and failed to do: as many queries, however much that is."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from integrations.engine.errors import shown
from integrations.engine.queues import QUEUES
from integrations.engine.tables import APPLICATION, FAILED, OPEN, marks, rows

LISTED = 20
DAY_MS = 86_400_000


@dataclass(frozen=True)
class QueueState:
    """How a queue stands.

    Args:
        name: Its name.
        waiting: Jobs that could run now.
        delayed: Jobs that wait for their time.
        running: Jobs that a worker has taken.
        oldest_s: How long the oldest waiting one has been due.
    """

    name: str
    waiting: int
    delayed: int
    running: int
    oldest_s: float | None


@dataclass(frozen=True)
class Failure:
    """A job that failed, with the redacted reason."""

    workflow_id: str
    job: str
    at: datetime
    given_up: bool
    error: str


def queue_states(now_s: float | None = None) -> list[QueueState]:
    """Give how each queue stands, those first that have something to do."""
    now_ms = (time.time() if now_s is None else now_s) * 1000
    counts: dict[str, dict[str, int]] = {name: {} for name in QUEUES}
    oldest: dict[str, float] = {}
    for name, status, count, since_ms in rows(_DEPTHS, [*OPEN, APPLICATION]):
        counts.setdefault(name, {})[status] = count
        if status == "ENQUEUED":
            oldest[name] = max(now_ms - since_ms, 0) / 1000
    states = [
        QueueState(
            name, found.get("ENQUEUED", 0), found.get("DELAYED", 0), found.get("PENDING", 0),
            oldest.get(name),
        )
        for name, found in counts.items()
    ]  # fmt: skip
    return sorted(states, key=lambda one: not (one.waiting or one.delayed or one.running))


def failures(now_s: float | None = None) -> tuple[int, list[Failure]]:
    """Give how many jobs failed in the last 24 hours, and the latest of them."""
    since_ms = int((time.time() if now_s is None else now_s) * 1000) - DAY_MS
    found = rows(_FAILURES, [*FAILED, APPLICATION, since_ms, LISTED])
    listed = [
        Failure(
            workflow_id, job, datetime.fromtimestamp(at_ms / 1000, UTC), status != "ERROR",
            _shown(error),
        )
        for workflow_id, job, status, at_ms, error, _ in found
    ]  # fmt: skip
    return (found[0][-1] if found else 0), listed


def _shown(kept: str | None) -> str:
    """Read an error as the engine keeps it."""
    if not kept:
        return ""
    try:
        error = json.loads(kept)
        text = f"{error['name']}: {error['message']}"
    except (ValueError, TypeError, KeyError):
        text = kept
    return shown(text.removeprefix("StepFailed: "))


_DEPTHS = """
SELECT queue_name, status, count(*), min(coalesce(delay_until_epoch_ms, created_at))
FROM {workflow_status}
WHERE status IN (MARKS) AND application_name = %s AND queue_name IS NOT NULL
GROUP BY queue_name, status
""".replace("MARKS", marks(OPEN))
_FAILURES = """
SELECT s.workflow_uuid, s.name, s.status, s.updated_at, coalesce(o.error, s.error),
    count(*) OVER ()
FROM {workflow_status} s LEFT JOIN {workflow_output} o ON o.workflow_uuid = s.workflow_uuid
WHERE s.status IN (MARKS) AND s.application_name = %s AND s.updated_at >= %s
ORDER BY s.updated_at DESC LIMIT %s
""".replace("MARKS", marks(FAILED))
