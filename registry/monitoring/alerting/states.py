"""The life of an alert, as a function of what is observed and when. Pure.

NORMAL → PENDING → FIRING → RECOVERING → RESOLVED. A dip while PENDING goes back to NORMAL, a new
breach while RECOVERING back to FIRING. Missing data and failed evaluations never resolve what
fires. Silenced and acknowledged are flags of whoever sends notices, and no states.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """Where an alert stands."""

    NORMAL = "NORMAL"
    PENDING = "PENDING"
    FIRING = "FIRING"
    RECOVERING = "RECOVERING"
    RESOLVED = "RESOLVED"
    NO_DATA = "NO_DATA"
    ERROR = "ERROR"


class Seen(StrEnum):
    """What an evaluation saw."""

    FINE = "FINE"
    BETWEEN = "BETWEEN"  # no breach, and not recovered either
    BREACH = "BREACH"
    NO_DATA = "NO_DATA"
    ERROR = "ERROR"


class Notice(StrEnum):
    """What is to be told."""

    FIRING = "firing"
    STILL_FIRING = "still_firing"
    RESOLVED = "resolved"
    NO_DATA = "no_data"
    ERROR = "error"


class NoData(StrEnum):
    """What missing data means to a threshold."""

    KEEP = "keep"
    ALERT = "alert"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Timing:
    """A threshold's patience, in seconds.

    Args:
        for_s: How long a breach must last before it fires.
        keep_firing_for_s: How long it must be fine before it is resolved.
        renotify_s: How often to tell again while it fires; 0 is never.
        no_data: What missing data means.
    """

    for_s: float = 0
    keep_firing_for_s: float = 0
    renotify_s: float = 0
    no_data: NoData = NoData.KEEP


@dataclass(frozen=True, slots=True)
class Life:
    """An alert as the last evaluation left it.

    Args:
        state: Where it stands.
        since: When it came to stand there.
        severity: warning or critical, while it breaches.
        notified_at: When something was last told.
    """

    state: State = State.NORMAL
    since: datetime | None = None
    severity: str = ""
    notified_at: datetime | None = None


def advance(
    life: Life, seen: Seen, timing: Timing, now: datetime, *, severity: str = ""
) -> tuple[Life, Notice | None]:
    """Give what becomes of an alert, and what is to be told.

    Args:
        life: As it was.
        seen: What the evaluation saw.
        timing: The threshold's patience.
        now: The moment of the evaluation.
        severity: Of the breach.
    """
    if seen is Seen.BREACH:
        return _breached(life, timing, now, severity)
    if seen in {Seen.NO_DATA, Seen.ERROR}:
        return _blind(life, seen, timing, now)
    return _unbreached(life, seen, timing, now)


def _breached(
    life: Life, timing: Timing, now: datetime, severity: str
) -> tuple[Life, Notice | None]:
    if life.state is State.FIRING:
        worse = severity == "critical" and life.severity != "critical"
        life = replace(life, severity=severity)
        due = timing.renotify_s > 0 and _lasted(life.notified_at, timing.renotify_s, now)
        if worse:
            return replace(life, notified_at=now), Notice.FIRING
        return (replace(life, notified_at=now), Notice.STILL_FIRING) if due else (life, None)
    if life.state is State.RECOVERING:
        # It was told that it fires, and not yet that it stopped.
        return replace(life, state=State.FIRING, since=now, severity=severity), None
    begun = life.since if life.state is State.PENDING else now
    if _lasted(begun, timing.for_s, now):
        return Life(State.FIRING, now, severity, now), Notice.FIRING
    return Life(State.PENDING, begun, severity, life.notified_at), None


def _unbreached(
    life: Life, seen: Seen, timing: Timing, now: datetime
) -> tuple[Life, Notice | None]:
    if life.state is State.PENDING:
        return Life(State.NORMAL, now), None
    if life.state in {State.NO_DATA, State.ERROR}:
        return replace(life, state=State.RESOLVED, since=now), Notice.RESOLVED
    if life.state not in {State.FIRING, State.RECOVERING}:
        return life, None
    if seen is Seen.BETWEEN:
        # Not well enough to count towards the end.
        state = replace(life, state=State.FIRING, since=now)
        return (life if life.state is State.FIRING else state), None
    begun = life.since if life.state is State.RECOVERING else now
    if _lasted(begun, timing.keep_firing_for_s, now):
        return replace(life, state=State.RESOLVED, since=now), Notice.RESOLVED
    return replace(life, state=State.RECOVERING, since=begun), None


def _blind(life: Life, seen: Seen, timing: Timing, now: datetime) -> tuple[Life, Notice | None]:
    if life.state is State.RECOVERING:
        # Nobody saw it fine: the time begins anew when somebody does.
        return replace(life, state=State.FIRING, since=now), None
    if life.state is State.FIRING:
        return life, None
    if timing.no_data is NoData.KEEP:
        return life, None
    if timing.no_data is NoData.OK:
        return _unbreached(life, Seen.FINE, timing, now)
    state, notice = (
        (State.NO_DATA, Notice.NO_DATA) if seen is Seen.NO_DATA else (State.ERROR, Notice.ERROR)
    )
    if life.state is state:
        return life, None
    return Life(state, now, "warning", now), notice


def _lasted(since: datetime | None, seconds: float, now: datetime) -> bool:
    return since is None or now - since >= timedelta(seconds=seconds)
