"""What runs by the clock: call `run_all` every half minute, from as many workers as there are."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection

from registry.monitoring.alerting.evaluation import evaluate_all
from registry.monitoring.current import materialise
from registry.monitoring.optimization.recommendations import expire
from registry.monitoring.rollup import prune_rollups, roll_up


def keep_statistics() -> None:
    """Let SQLite look at how its tables have grown; its planner guesses otherwise, and badly.

    PostgreSQL does so by itself. https://www.sqlite.org/lang_analyze.html#pragma_optimize
    """
    if connection.vendor == "sqlite":
        # Another process may be writing or looking itself: the next run is soon enough.
        with suppress(OperationalError), connection.cursor() as cursor:
            cursor.execute("PRAGMA optimize=0x10012")


def run_all(now: datetime | None = None) -> dict[str, Any]:
    """Sum up, materialise, evaluate, clean up; each is safe to run twice at once."""
    keep_statistics()
    return {
        "rolled_up": roll_up(now),
        "materialised": materialise(now),
        "evaluated": evaluate_all(now),
        "expired": expire(now),
        "pruned": prune_rollups(now),
    }
