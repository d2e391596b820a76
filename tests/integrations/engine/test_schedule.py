"""When periodic jobs are due."""

from datetime import UTC, datetime, time, timedelta, timezone

import pytest

from integrations.engine.schedule import Timetable, read_timetable

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (NOON, NOON),
        (NOON + timedelta(seconds=29.999), NOON),
        (NOON + timedelta(seconds=30), NOON + timedelta(seconds=30)),
        # Hours later: the last one only.
        (NOON + timedelta(hours=5, seconds=31), NOON + timedelta(hours=5, seconds=30)),
    ],
)
def test_every_so_often(now: datetime, due: datetime) -> None:
    assert Timetable(every_s=30).last_due(now) == due


def test_fractions_of_seconds_and_odd_intervals_are_counted_from_the_epoch() -> None:
    assert Timetable(every_s=0.5).last_due(NOON + timedelta(seconds=0.7)) == NOON + timedelta(
        seconds=0.5
    )
    due = Timetable(every_s=7).last_due(NOON)
    assert int(due.timestamp()) % 7 == 0
    assert NOON - timedelta(seconds=7) < due <= NOON


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (NOON, datetime(2026, 11, 24, 3, 20, tzinfo=UTC)),
        (datetime(2026, 11, 24, 3, 20, tzinfo=UTC), datetime(2026, 11, 24, 3, 20, tzinfo=UTC)),
        (
            datetime(2026, 11, 24, 3, 19, 59, tzinfo=UTC),
            datetime(2026, 11, 23, 3, 20, tzinfo=UTC),
        ),
        # 02:00 at UTC+3 is the day before in UTC.
        (
            datetime(2026, 11, 24, 2, 0, tzinfo=timezone(timedelta(hours=3))),
            datetime(2026, 11, 23, 3, 20, tzinfo=UTC),
        ),
    ],
)
def test_once_a_day(now: datetime, due: datetime) -> None:
    assert Timetable(at=time(3, 20)).last_due(now) == due


@pytest.mark.parametrize(
    "row", [{}, {"every_s": 1, "at": "03:20"}, {"every_s": 0}, {"every_s": -1}, {"at": "25:00"}]
)
def test_a_timetable_is_one_thing(row: dict[str, str | float]) -> None:
    with pytest.raises(ValueError, match=r"every_s|hour"):
        read_timetable(row)
