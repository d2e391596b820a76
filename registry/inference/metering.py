"""Following one call from its arrival to its record."""

import time
from decimal import Decimal
from typing import Any, Self

from authz.policies.enforcement import PolicyDenied
from intmod_site.api.errors import ApiError
from intmod_site.request_context import current_request, set_answer_header
from intmod_site.turns import turns
from registry.catalog.resolution import Target
from registry.inference.admission import Admission
from registry.inference.asked import Asked
from registry.inference.calls import Call, ChatCall, Usage
from registry.inference.candidates import Plan
from registry.inference.costs import cost_of
from registry.inference.guard import policy_label, record_denied
from registry.inference.measurements import observe_call
from registry.inference.records import Outcome, record_call
from registry.inference.tracing import trace_call

CACHE_HEADER = "X-Intmod-Cache"
OVERHEAD_HEADER = "X-Intmod-Overhead-Ms"


class Stopwatch:
    """Adds up the time spent in its `with` blocks, in which others compute."""

    __slots__ = ("_since_s", "total_s")

    def __init__(self) -> None:
        self.total_s = 0.0
        self._since_s = 0.0

    def __enter__(self) -> Self:
        turns.end()
        self._since_s = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.total_s += time.perf_counter() - self._since_s

    def sleep(self, seconds: float) -> None:
        """Sleep, and count it."""
        with self:
            time.sleep(seconds)


class Meter:
    """What a call takes; its record is written once, however it ends.

    Args:
        asked: The call.
        plan: Who is asked.
        is_stream: Whether the answer goes out bit by bit.
    """

    def __init__(self, asked: Asked, plan: Plan, *, is_stream: bool) -> None:
        self.asked = asked
        self.plan = plan
        self.target = plan.target
        self.is_stream = is_stream
        self.call: Call | None = None
        """What was asked last."""
        self.asking: ChatCall | None = None
        """What a stream's providers are asked just now: it is paid for, whoever leaves."""
        self.tries = 0
        self.waiting = Stopwatch()
        """Time in which others work: providers, and the pauses between tries."""
        self.first_token_ms: float | None = None
        self.overhead_ms: float | None = None
        self.from_cache = False
        self.is_finished = False
        self.admission: Admission | None = None
        self._began_s = time.perf_counter()
        self._request = current_request()

    def answered_by(self, target: Target, tries: int) -> None:
        """Note who answered; what is on record from now on is about them."""
        self.target = target
        self.tries = tries

    def note_cache(self, *, hit: bool) -> None:
        """Note whether an earlier answer is given again, and tell the caller."""
        self.from_cache = hit
        set_answer_header(CACHE_HEADER, "hit" if hit else "miss")

    def note_first_token(self) -> None:
        """Note that a stream's text begins."""
        self.first_token_ms = self._elapsed_ms()

    def finish(
        self,
        *,
        usage: Usage | None,
        finish_reason: str | None = None,
        error: ApiError | None = None,
        answer: Any = None,
        is_estimated: bool = False,
    ) -> Outcome:
        """Write the record; later calls change nothing.

        Args:
            usage: What is paid for; None if nobody knows.
            finish_reason: Why the text ended.
            error: What the caller got instead, or in the middle, of an answer.
            answer: JSON of the answer, for versions that keep texts.
            is_estimated: Whether the usage is our own guess.
        """
        self.note_overhead()
        outcome = Outcome(
            target=self.target,
            task=self.asked.task,
            call=self.call,
            latency_ms=round(self._elapsed_ms(), 3),
            usage=usage,
            cost_usd=Decimal(0) if self.from_cache else cost_of(self.target, usage),
            finish_reason=finish_reason,
            error=error,
            is_stream=self.is_stream,
            is_estimated=is_estimated,
            first_token_ms=self.first_token_ms,
            overhead_ms=self.overhead_ms,
            tries=self.tries,
            route=self.plan.route,
            from_cache=self.from_cache,
            policies=policy_label(self.target),
        )
        if not self.is_finished:
            self.is_finished = True
            if self.admission is not None:
                paid = Usage(0) if self.from_cache else usage
                self.admission.settle(usage=paid, cost_usd=outcome.cost_usd)
            record_call(
                principal=self.asked.principal,
                request_id=self._request.request_id if self._request else "",
                outcome=outcome,
                request=self.asked.body,
                answer=answer,
            )
            if isinstance(error, PolicyDenied):
                record_denied(self.asked, self.target, error.decision)
            observe_call(outcome)
            trace_call(outcome, self._request)
        return outcome

    def _elapsed_ms(self) -> float:
        return (time.perf_counter() - self._began_s) * 1000

    def note_overhead(self) -> None:
        """Note, once, what we took of the time until the answer begins to go out."""
        if self.overhead_ms is not None:
            return
        began_s = self._request.began_s if self._request else self._began_s
        spent_s = time.perf_counter() - began_s - self.waiting.total_s
        self.overhead_ms = round(spent_s * 1000, 3)
        set_answer_header(OVERHEAD_HEADER, str(self.overhead_ms))
