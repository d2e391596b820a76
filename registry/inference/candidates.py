"""Who may answer a call: the version that was called for, and its fallbacks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from authz.configuration.snapshot import Snapshot
from integrations.http.breaker import Breaker
from integrations.http.retry import RetryPolicy
from intmod_site.api.errors import ApiError
from registry.catalog.resolution import Target, resolve
from registry.inference.providers.upstream_errors import Fallback

NO_RETRIES = RetryPolicy(max_retries=0)
"""Of models in this process: they fail by our own fault, and would fail again."""

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


def candidates(
    *, target: Target, snapshot: Snapshot, project_id: UUID, task: str
) -> Iterator[TargetCandidate]:
    """Give the target, then its fallbacks; those that cannot be called now are passed over."""
    yield TargetCandidate(target)
    for edge in target.fallbacks:
        try:
            fallback = resolve(
                snapshot=snapshot, project_id=project_id, reference=edge.reference, task=task
            )
        except ApiError:
            continue
        yield TargetCandidate(fallback, edge.on)


@lru_cache(maxsize=MAX_BREAKERS)
def _breaker(version_id: UUID) -> Breaker:  # noqa: ARG001 -- the cache's key
    return Breaker()
