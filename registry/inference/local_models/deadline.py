"""The time that one call may take, from waiting to the last token."""

import time

from intmod_site.api.errors import UpstreamTimeout


class Deadline:
    """A moment after which an answer is of no use.

    Args:
        timeout_s: Seconds from now.
    """

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._ends_at = time.monotonic() + timeout_s

    @property
    def remaining_s(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._ends_at - time.monotonic())

    def check(self) -> None:
        """Give up when the time is over; computations call this between their steps.

        Raises:
            UpstreamTimeout: No time is left.
        """
        if self.remaining_s == 0.0:
            raise UpstreamTimeout(
                f"The local model did not finish within {self.timeout_s:g} seconds."
            )
