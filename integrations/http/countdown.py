"""The deadlines of one call while it runs."""

from time import monotonic

from integrations.http.errors import Deadline, DeadlineExceeded
from integrations.http.policy import Deadlines


class Countdown:
    """Says before each wait how long it may last. Belongs to one call and one thread at a time.

    Besides the total there is always one other deadline in force: the one entered last.

    Args:
        deadlines: The limits; the clock of the total starts now.
    """

    __slots__ = ("_limits", "_renewed_s", "_stage", "_stage_end", "_total_end", "sent")

    def __init__(self, deadlines: Deadlines) -> None:
        now = monotonic()
        self._limits = deadlines
        self._total_end = now + deadlines.total_s
        self._stage = Deadline.CONNECT
        self._stage_end = now + deadlines.connect_s
        self._renewed_s: float | None = None
        self.sent = False

    def expect_first_byte(self) -> None:
        """Connected: from now on the request goes out, and the answer has to begin in time."""
        self._stage = Deadline.FIRST_BYTE
        self._stage_end = monotonic() + self._limits.first_byte_s
        self.sent = True

    def expect_line(self) -> None:
        """The next line has to be there in time, however many reads it takes."""
        self._stage = Deadline.IDLE
        self._stage_end = monotonic() + self._limits.idle_s

    def expect_bytes(self) -> None:
        """Every single read has to bring something in time."""
        self._stage = Deadline.IDLE
        self._renewed_s = self._limits.idle_s

    def left_s(self) -> float:
        """Give the seconds that the next wait may last, above zero.

        Raises:
            DeadlineExceeded: There are none left.
        """
        now = monotonic()
        if self._renewed_s is not None:
            self._stage_end = now + self._renewed_s
        left_s = min(self._stage_end, self._total_end) - now
        if left_s <= 0:
            raise self.exceeded()
        return left_s

    def exceeded(self) -> DeadlineExceeded:
        """Make the error for the deadline that comes first, for a wait that just timed out."""
        first = Deadline.TOTAL if self._total_end <= self._stage_end else self._stage
        return DeadlineExceeded(first, sent=self.sent)
