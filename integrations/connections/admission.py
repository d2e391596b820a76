"""Whether an attempt may be made now: places, rate and breaker, each shared by all processes."""

from collections.abc import Iterator
from contextlib import contextmanager

from authz.limits.holds import hold, settle
from authz.limits.rates import Rate, take
from integrations.connections import breaker
from integrations.connections.breaker import Admission
from integrations.connections.connection import Connection
from intmod_site.api.errors import ApiError, ServiceUnavailable, TooManyRequests

PLACE_MARGIN_S = 10.0
"""A place whose process died is free again so long after its call had to end."""


@contextmanager
def place(connection: Connection) -> Iterator[None]:
    """Take one of the integration's places for the length of a call.

    Raises:
        TooManyRequests: All are taken.
    """
    limit = connection.parallel_calls
    if limit is None:
        yield
        return
    held = hold(
        key=_key(connection),
        amount=1,
        limit=limit,
        expires_s=connection.deadlines.total_s + PLACE_MARGIN_S,
    )
    if held is None:
        raise TooManyRequests(
            f"{connection.name} is called {limit} times already.",
            code="too_many_parallel_calls",
            retry_after_s=1,
        )
    try:
        yield
    finally:
        settle(held=held, amount=0)


def admit(connection: Connection) -> Admission | ApiError:
    """Let an attempt pass, or give the reason why not."""
    admission = breaker.admit(connection.integration_id)
    if admission.refused_for_s is not None:
        # First: what the breaker keeps back is no attempt, and takes nothing from the rate.
        return ServiceUnavailable(
            f"{connection.name} is failing and left alone for a while.",
            code="circuit_open",
            retry_after_s=admission.refused_for_s,
        )
    if connection.requests_per_minute is not None:
        taken = take(key=_key(connection), rate=Rate(connection.requests_per_minute))
        if not taken.allowed:
            breaker.abandoned(connection.integration_id, admission)
            return TooManyRequests(
                f"{connection.name} takes {connection.requests_per_minute} requests a minute.",
                retry_after_s=taken.retry_after_s,
            )
    return admission


def _key(connection: Connection) -> str:
    return f"integration:{connection.integration_id}"
