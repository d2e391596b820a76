"""When a periodic job is due: a pure function of its timetable and the time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """Every so often, or at a time of day; exactly one of the two.

    Args:
        every_s: Seconds, counted from the epoch, so that all workers count the same.
        at: A time of day in UTC.

    Raises:
        ValueError: None is given, or both, or the interval is not positive.
    """

    every_s: float | None = None
    at: time | None = None

    def __post_init__(self) -> None:
        if (self.every_s is None) == (self.at is None):
            raise ValueError("A periodic job has either `every_s` or `at`.")
        if self.every_s is not None and self.every_s <= 0:
            raise ValueError("`every_s` is above 0.")

    def last_due(self, now: datetime) -> datetime:
        """Give the latest moment, now or before, at which the job was due.

        Only that one is ever run: ticks that nobody was there for are not made up for.
        """
        if self.every_s is not None:
            interval = timedelta(seconds=self.every_s)
            return EPOCH + (now - EPOCH) // interval * interval
        today = datetime.combine(now.astimezone(UTC).date(), self.at or time(), tzinfo=UTC)
        return today if today <= now else today - timedelta(days=1)


def read_timetable(row: Mapping[str, str | float]) -> Timetable:
    """Read `every_s` or `at` (HH:MM) of a row of PERIODIC_JOBS.

    Raises:
        ValueError: It is not as it should be.
    """
    every_s, at = row.get("every_s"), row.get("at")
    return Timetable(
        every_s=None if every_s is None else float(every_s),
        at=None if at is None else time.fromisoformat(str(at)),
    )
