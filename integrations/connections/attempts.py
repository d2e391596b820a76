"""The loop over attempts: which failures are tried again, and what the breaker is told."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic, sleep

from integrations.connections import breaker
from integrations.connections.admission import admit
from integrations.connections.breaker import Admission
from integrations.connections.connection import Connection
from integrations.connections.exchange import Exchange, Tried
from integrations.connections.tokens import forget_token
from integrations.http.errors import (
    BlockedDestination,
    BodyTooLarge,
    Deadline,
    DeadlineExceeded,
    InvalidRequest,
    InvalidUrl,
    OutboundError,
)
from integrations.http.retry import RETRYABLE_STATUSES, retry_after_s
from intmod_site.api.errors import ApiError
from intmod_site.database import release_connection

RETRIED_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
MIN_TRY_S = 0.05
"""With less than this left, another attempt could only fail."""
FAIR_SHARE = 0.9
"""The part of its whole time that a system must have had for being late to be its own fault."""
_OUR_FAULT = (BlockedDestination, BodyTooLarge, InvalidRequest, InvalidUrl)


class Attempts:
    """Asks an external system until it answers for good; used once.

    Args:
        connection: Which.
        make: Makes an attempt ready, with the seconds that are left.
        is_repeatable: Whether the request does no more harm twice than once.
        record: Told of each attempt: its number and how it ended.
        retries: Whether any failure is tried again at all.
    """

    def __init__(
        self,
        connection: Connection,
        make: Callable[[float], Exchange],
        *,
        is_repeatable: bool,
        record: Callable[[int, Tried], None],
        retries: bool = True,
    ) -> None:
        self._connection = connection
        self._make = make
        self._is_repeatable = is_repeatable or connection.retries_unsafe
        self._record = record
        self._retries = retries
        self._ends_at = monotonic() + connection.deadlines.total_s
        self._renewed = False
        self._last = Tried(0.0)
        self.made = 0

    def run(self) -> Tried:
        """Give how the last attempt ended.

        Raises:
            ApiError: Not even the first may be made now.
        """
        while True:
            admission = admit(self._connection)
            if isinstance(admission, ApiError):
                if self.made == 0:
                    raise admission
                return self._last
            self._last = self._try(admission)
            if self._renews_token():
                continue
            wait_s = self._wait_s()
            if wait_s is None:
                return self._last
            release_connection()
            sleep(wait_s)

    def _try(self, admission: Admission) -> Tried:
        self.made += 1
        integration_id = self._connection.integration_id
        left_s = max(self._ends_at - monotonic(), MIN_TRY_S)
        try:
            release_connection()
            tried = self._make(left_s).run()
        except BaseException:
            breaker.abandoned(integration_id, admission)
            raise
        failed = _tells_of_failure(tried, left_s >= self._connection.deadlines.total_s * FAIR_SHARE)
        if failed is None:
            breaker.abandoned(integration_id, admission)
        else:
            breaker.ended(integration_id, admission, failed=failed)
        self._record(self.made, tried)
        return tried

    def _renews_token(self) -> bool:
        """Whether to ask once more at once: the access token did not count any more."""
        tried = self._last
        if not tried.token or self._renewed or not tried.response or tried.response.status != 401:
            return False
        self._renewed = True
        forget_token(self._connection, tried.token)
        return self._ends_at - monotonic() > MIN_TRY_S

    def _wait_s(self) -> float | None:
        tried = self._last
        if not (self._retries and self._may_repeat(tried)):
            return None
        asked = tried.response.headers.get("retry-after") if tried.response else None
        return self._connection.retries.wait_s(
            self.made - self._renewed,
            left_s=self._ends_at - monotonic() - MIN_TRY_S,
            retry_after_s=retry_after_s(asked, datetime.now(UTC)),
        )

    def _may_repeat(self, tried: Tried) -> bool:
        if tried.response is not None:
            return self._is_repeatable and tried.response.status in RETRYABLE_STATUSES
        error = tried.error
        if not isinstance(error, OutboundError) or not error.retryable:
            return False
        # What was never sent was not done either.
        return self._is_repeatable or not error.sent


def _tells_of_failure(tried: Tried, had_its_time: bool) -> bool | None:
    """Whether an attempt says that the system fails (true) or is well (false); None if neither."""
    if tried.response is not None:
        return tried.response.status >= 500
    error = tried.error
    if isinstance(error, _OUR_FAULT):
        return None
    late = isinstance(error, DeadlineExceeded) and error.which is Deadline.TOTAL
    return None if late and not had_its_time else True
