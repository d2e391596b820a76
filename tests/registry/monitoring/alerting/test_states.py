"""The life of an alert by the minute, with a clock that stands."""

from datetime import UTC, datetime, timedelta

import pytest

from registry.monitoring.alerting.comparison import Bounds, breaches, has_recovered
from registry.monitoring.alerting.states import Life, NoData, Seen, State, Timing, advance

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
SEEN = {
    "B": Seen.BREACH, ".": Seen.FINE, "~": Seen.BETWEEN, "n": Seen.NO_DATA, "e": Seen.ERROR,
}  # fmt: skip
SHORT = {
    State.NORMAL: "-", State.PENDING: "p", State.FIRING: "F", State.RECOVERING: "r",
    State.RESOLVED: "x", State.NO_DATA: "N", State.ERROR: "E",
}  # fmt: skip


def live(seen: str, timing: Timing) -> tuple[str, list[str]]:
    """Observe once a minute, and give the states and what was told at which minute."""
    life, states, told = Life(), "", []
    for minute, what in enumerate(seen):
        if life.state is State.RESOLVED:
            life = Life()
        now = BEGIN + timedelta(minutes=minute)
        life, notice = advance(life, SEEN[what], timing, now, severity="critical")
        states += SHORT[life.state]
        if notice:
            told.append(f"{minute} {notice.value}")
    return states, told


@pytest.mark.parametrize(
    ("timing", "seen", "states", "told"),
    [
        (Timing(), ".B..", "-Fx-", ["1 firing", "2 resolved"]),
        (Timing(for_s=120), ".BBBB.", "-ppFFx", ["3 firing", "5 resolved"]),
        (Timing(for_s=120), "BB.BBB", "pp-ppF", ["5 firing"]),
        (Timing(keep_firing_for_s=120), "B...", "Frrx", ["0 firing", "3 resolved"]),
        (Timing(keep_firing_for_s=120), "B..B...", "FrrFrrx", ["0 firing", "6 resolved"]),
        (Timing(renotify_s=120), "BBBB", "FFFF", ["0 firing", "2 still_firing"]),
        (Timing(), "B~~.", "FFFx", ["0 firing", "3 resolved"]),
        (Timing(keep_firing_for_s=60), "B.~..", "FrFrx", ["0 firing", "4 resolved"]),
        (Timing(), "~", "-", []),
        (Timing(), "Bnnn.", "FFFFx", ["0 firing", "4 resolved"]),
        (Timing(no_data=NoData.OK), "Bnnn.", "FFFFx", ["0 firing", "4 resolved"]),
        (Timing(no_data=NoData.ALERT), "Bnen.", "FFFFx", ["0 firing", "4 resolved"]),
        (Timing(keep_firing_for_s=60), "B.n..", "FrFrx", ["0 firing", "4 resolved"]),
        (Timing(for_s=120), "BnBB", "ppFF", ["2 firing"]),
        (Timing(for_s=120, no_data=NoData.OK), "BnBBB", "p-ppF", ["4 firing"]),
        (Timing(for_s=120, no_data=NoData.ALERT), "BnnBBB", "pNNppF", ["1 no_data", "5 firing"]),
        (Timing(no_data=NoData.ALERT), ".nn.", "-NNx", ["1 no_data", "3 resolved"]),
        (Timing(no_data=NoData.ALERT), "eenB", "EENF", ["0 error", "2 no_data", "3 firing"]),
        (Timing(no_data=NoData.KEEP), "nnee", "----", []),
        (Timing(no_data=NoData.OK), "nnee", "----", []),
    ],
)  # fmt: skip
def test_timelines(timing: Timing, seen: str, states: str, told: list[str]) -> None:
    assert live(seen, timing) == (states, told)


def test_what_gets_worse_is_told_at_once() -> None:
    timing = Timing(renotify_s=3600)
    life, told = advance(Life(), Seen.BREACH, timing, BEGIN, severity="warning")
    assert told == "firing"
    later = BEGIN + timedelta(minutes=1)
    life, told = advance(life, Seen.BREACH, timing, later, severity="critical")
    assert (life.severity, told) == ("critical", "firing")
    life, told = advance(life, Seen.BREACH, timing, later, severity="warning")
    assert (life.severity, told) == ("warning", None)


@pytest.mark.parametrize(
    ("value", "comparator", "bounds", "is_breach"),
    [
        (900, "gt", Bounds(800), True), (800, "gt", Bounds(800), False),
        (800, "gte", Bounds(800), True), (0.95, "lt", Bounds(0.9), False),
        (0.85, "lt", Bounds(0.9), True), (0.9, "lte", Bounds(0.9), True),
        (1, "eq", Bounds(1), True), (1, "ne", Bounds(1), False),
        (5, "outside_range", Bounds(1, 4), True), (4, "outside_range", Bounds(1, 4), False),
        (4, "inside_range", Bounds(1, 4), True), (5, "inside_range", Bounds(1, 4), False),
    ],
)  # fmt: skip
def test_breaches(value: float, comparator: str, bounds: Bounds, is_breach: bool) -> None:
    assert breaches(value, comparator, bounds) is is_breach


def test_recovery() -> None:
    assert not has_recovered(790, "gt", 700)
    assert has_recovered(700, "gt", 700)
    assert not has_recovered(0.91, "lt", 0.93)
    assert has_recovered(0.93, "lt", 0.93)
    assert has_recovered(0.91, "lt", None)
