"""Checks of everything but the data: methods, paths, hours, where a request comes from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta, tzinfo
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from authz.policies.engine import PolicyRequest, Reason
from intmod_site.api.errors import ValidationFailed

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class Methods:
    """One of these HTTP methods."""

    allowed: frozenset[str]
    needs = "method"

    def refusals(self, request: PolicyRequest) -> Iterator[Reason]:
        """Refuse another one."""
        if request.method not in self.allowed:
            yield Reason("/method", "/methods", "This method is not allowed.")


@dataclass(frozen=True, slots=True)
class Paths:
    """A path that one of these patterns matches; `*` is any one segment, `**` all that follow."""

    patterns: tuple[tuple[str, ...], ...]
    needs = "path"

    def refusals(self, request: PolicyRequest) -> Iterator[Reason]:
        """Refuse another one, and one that servers may read in several ways."""
        segments = _segments(request.path or "")
        if segments is None:
            yield Reason("/path", "/paths", "This path can be read in more than one way.")
        elif not any(_matches(pattern, segments) for pattern in self.patterns):
            yield Reason("/path", "/paths", "This path is not allowed.")


@dataclass(frozen=True, slots=True)
class Window:
    """Hours on some days; one that ends before it begins ends on the next day."""

    days: frozenset[int]
    begins: time
    ends: time


@dataclass(frozen=True, slots=True)
class Hours:
    """Within one of these windows, by the clock of one place."""

    zone: tzinfo
    windows: tuple[Window, ...]
    needs = "at"

    def refusals(self, request: PolicyRequest) -> Iterator[Reason]:
        """Refuse any other time."""
        local = request.at.astimezone(self.zone)
        now, today = local.time(), local.weekday()
        yesterday = (local - timedelta(days=1)).weekday()
        for window in self.windows:
            if window.begins < window.ends:
                if today in window.days and window.begins <= now < window.ends:
                    return
            elif (today in window.days and now >= window.begins) or (
                yesterday in window.days and now < window.ends
            ):
                return
        yield Reason("/at", "/hours", "This is outside the allowed hours.")


@dataclass(frozen=True, slots=True)
class Sources:
    """From one of these networks."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    needs = "source"

    def refusals(self, request: PolicyRequest) -> Iterator[Reason]:
        """Refuse other addresses, and a request that comes from none."""
        if not self._contains(request.source):
            yield Reason("/source", "/source_cidrs", "Requests from this address are not allowed.")

    def _contains(self, source: str | None) -> bool:
        try:
            address = ip_address(source or "")
        except ValueError:
            return False
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        return any(address in network for network in self.networks)


def methods(value: Any, *, at: str) -> Methods:
    """Compile a list of HTTP methods."""
    for index, name in enumerate(_listed(value, at)):
        if name not in METHODS:
            raise ValidationFailed.of(f"{at}/{index}", f"One of {', '.join(METHODS)}.")
    return Methods(frozenset(value))


def paths(value: Any, *, at: str) -> Paths:
    """Compile a list of path patterns."""
    patterns = []
    for index, pattern in enumerate(_listed(value, at)):
        place = f"{at}/{index}"
        if not isinstance(pattern, str) or not pattern.startswith("/") or len(pattern) > 1000:
            raise ValidationFailed.of(place, "A path that begins with a slash.")
        segments = _segments(pattern)
        if segments is None or "?" in pattern or "#" in pattern:
            raise ValidationFailed.of(place, "A path without dots, escapes or a query.")
        if "**" in segments[:-1] or any(
            "*" in segment and segment not in {"*", "**"} for segment in segments
        ):
            raise ValidationFailed.of(
                place, "A * stands for a whole segment, and ** for all segments at the end."
            )
        patterns.append(segments)
    return Paths(tuple(patterns))


def hours(value: Any, *, at: str) -> Hours:
    """Compile hours: {"timezone": "Europe/Berlin", "windows": [{"days", "from", "to"}]}."""
    _keys(value, {"timezone", "windows"}, at)
    windows = _listed(value.get("windows"), f"{at}/windows")
    return Hours(
        _zone(value.get("timezone", "UTC"), f"{at}/timezone"),
        tuple(_window(window, f"{at}/windows/{index}") for index, window in enumerate(windows)),
    )


def sources(value: Any, *, at: str) -> Sources:
    """Compile a list of CIDRs."""
    networks = []
    for index, text in enumerate(_listed(value, at)):
        try:
            networks.append(ip_network(text if isinstance(text, str) else ""))
        except ValueError:
            raise ValidationFailed.of(
                f"{at}/{index}", "A network such as 10.0.0.0/8, without host bits."
            ) from None
    return Sources(tuple(networks))


def response_bytes(value: Any, *, at: str) -> int:
    """Check the longest answer that may be taken."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**40:
        raise ValidationFailed.of(at, "A number of bytes, one or more.")
    return value


def _segments(path: str) -> tuple[str, ...] | None:
    """Give a path's segments, decoded; None if servers might read another path out of it."""
    raw = path.partition("#")[0].partition("?")[0]
    found = []
    parts = raw.removeprefix("/").split("/")
    for index, part in enumerate(parts):
        segment = unquote(part)
        empty = not segment and index < len(parts) - 1
        if empty or segment in {".", ".."} or not segment.isprintable():
            return None
        if any(character in segment for character in "/\\%;\ufffd"):
            return None
        found.append(segment)
    return tuple(found)


def _matches(pattern: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    if pattern[-1] == "**":
        pattern = pattern[:-1]
        if len(segments) <= len(pattern):
            return False
        segments = segments[: len(pattern)]
    return len(pattern) == len(segments) and all(
        wanted == given or (wanted == "*" and given)
        for wanted, given in zip(pattern, segments, strict=True)
    )


def _zone(name: Any, at: str) -> tzinfo:
    try:
        return ZoneInfo(name if isinstance(name, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationFailed.of(at, "A time zone such as Europe/Berlin.") from None


def _window(value: Any, at: str) -> Window:
    _keys(value, {"days", "from", "to"}, at)
    days = value.get("days", list(DAYS))
    for index, day in enumerate(_listed(days, f"{at}/days")):
        if day not in DAYS:
            raise ValidationFailed.of(f"{at}/days/{index}", f"One of {', '.join(DAYS)}.")
    begins = _clock(value.get("from", "00:00"), f"{at}/from")
    ends = _clock(value.get("to", "24:00"), f"{at}/to")
    return Window(frozenset(DAYS.index(day) for day in days), begins, ends)


def _clock(text: Any, at: str) -> time:
    if text == "24:00":
        return time(0)
    try:
        if isinstance(text, str) and len(text) == 5:
            return time.fromisoformat(text)
    except ValueError:
        pass
    raise ValidationFailed.of(at, "A time such as 08:30.")


def _listed(value: Any, at: str) -> list[Any]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ENTRIES:
        raise ValidationFailed.of(at, f"A list of one to {MAX_ENTRIES}.")
    for index, item in enumerate(value):
        if not isinstance(item, str | dict):
            raise ValidationFailed.of(f"{at}/{index}", "Not of the kind that is listed here.")
    return value


def _keys(value: Any, known: set[str], at: str) -> None:
    if not isinstance(value, dict):
        raise ValidationFailed.of(at, f"An object of {', '.join(sorted(known))}.")
    for name in value:
        if name not in known:
            raise ValidationFailed.of(f"{at}/{name}", f"Known are: {', '.join(sorted(known))}.")
