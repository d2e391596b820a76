"""Who may answer a call: what was called for, and those that stand in for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from authz.configuration.snapshot import Snapshot
from integrations.http.breaker import Breaker
from integrations.http.retry import RetryPolicy
from intmod_site.api.errors import ApiError
from registry.catalog.resolution import RouteTargets, Target, find_route, resolve
from registry.inference.in_flight import in_flight
from registry.inference.providers.failures import Fallback
from registry.inference.spreading import Weighed, by_weight, in_order, least_busy

NO_RETRIES = RetryPolicy(max_retries=0)
"""Of models in this process: they fail by our own fault, and would fail again."""

ON_ERROR = frozenset({Fallback.ON_ERROR.value})
MAX_BREAKERS = 10_000


@dataclass(frozen=True, slots=True)
class TargetCandidate:
    """A target with what it is a fallback for."""

    target: Target
    on: frozenset[str] = frozenset()

    @property
    def retries(self) -> RetryPolicy:
        """As its integration says."""
        connection = self.target.connection
        return connection.retries if connection else NO_RETRIES

    @property
    def breaker(self) -> Breaker:
        """The one of its version, in this process."""
        return _breaker(self.target.version_id)

    def takes(self, fallback: Fallback) -> bool:
        """Whether its edge names this kind of failure."""
        return fallback.value in self.on

    def busy(self) -> "Busy":
        """Count a call of it for as long as the `with` block takes."""
        return Busy(self.target.version_id)


class Busy:
    """One call of a version, counted while the block runs."""

    __slots__ = ("_version_id",)

    def __init__(self, version_id: UUID) -> None:
        self._version_id = version_id

    def __enter__(self) -> None:
        in_flight.enter(self._version_id)

    def __exit__(self, *_: object) -> None:
        in_flight.leave(self._version_id)


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to ask, in order.

    Args:
        target: The first: whose limits and deadlines count.
        candidates: The first and those after it; read once.
        route: The route's name, if one chose them.
    """

    target: Target
    candidates: Iterator[TargetCandidate]
    route: str = ""


def plan_call(*, snapshot: Snapshot, project_id: UUID, reference: str | None, task: str) -> Plan:
    """Choose who is asked.

    Raises:
        ApiError: As `resolve`; of a route, when none of its targets can be called.
    """

    def find(name: str | None) -> Target:
        return resolve(snapshot=snapshot, project_id=project_id, reference=name, task=task)

    def stand_ins(target: Target) -> Iterator[TargetCandidate]:
        for edge in target.fallbacks:
            try:
                yield TargetCandidate(find(edge.reference), edge.on)
            except ApiError:
                # It cannot be called now: others may.
                continue

    def asked(first: Target, *others: Target) -> Iterator[TargetCandidate]:
        yield TargetCandidate(first)
        for other in others:
            yield TargetCandidate(other, ON_ERROR)
        yield from stand_ins(first)

    if reference is not None:
        route = find_route(snapshot=snapshot, project_id=project_id, reference=reference)
        if route is not None:
            targets = _spread(route, find)
            return Plan(targets[0], asked(*targets), route.name)
    target = find(reference)
    return Plan(target, asked(target))


def _spread(route: RouteTargets, find: Callable[[str], Target]) -> list[Target]:
    """Order those of a route's targets that can be called.

    Raises:
        ApiError: None can be: of the first.
    """
    able: list[tuple[Target, Weighed]] = []
    refusal: ApiError | None = None
    for entry in route.entries:
        try:
            able.append((find(entry.reference), Weighed(entry.weight, entry.order)))
        except ApiError as error:
            refusal = refusal or error
    if not able and refusal is not None:
        raise refusal
    if route.strategy == "order":
        return in_order(able)
    if route.strategy == "least_busy":
        return least_busy(able, lambda target: in_flight.count(target.version_id))
    return by_weight(able)


@lru_cache(maxsize=MAX_BREAKERS)
def _breaker(version_id: UUID) -> Breaker:  # noqa: ARG001 -- the cache's key
    return Breaker()
