"""The one call path: from what is asked to who answers, with everything on record.

Presenters (the six endpoints, the compatible surfaces) make an Asked and show what comes back;
resolution, tries, fallbacks, deadlines, checks and records are here, the same for all of them.
"""

from contextlib import ExitStack
from dataclasses import dataclass

from authz.policies.enforcement import PolicyDenied
from integrations.http.steps import Steps
from registry.catalog.resolution import Target
from registry.inference import response_cache
from registry.inference.asked import Asked
from registry.inference.call_stream import CallStream, Opened
from registry.inference.calls import Call, ChatCall, ChatResult, Result
from registry.inference.candidates import TargetCandidate
from registry.inference.earlier_answers import EarlierAnswer, find_earlier, keeper_of
from registry.inference.guard import (
    before_sending,
    check_answer,
    length_of,
)
from registry.inference.metering import Meter
from registry.inference.providers.stored_events import StoredEvents
from registry.inference.providers.upstream_errors import UpstreamError
from registry.inference.records import Outcome, kept_answer
from registry.inference.search import answering_steps, begin, call_of, first_answer, opening_steps
from registry.inference.upstream import ask

PATIENCE_S = 5.0
"""How long a stream's caller waits for the first piece without hearing anything from us: a failure
in this time has a status of its own, a later one is an error in the stream."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Who answered, what, and what it took."""

    target: Target
    result: Result
    outcome: Outcome


def answer(asked: Asked) -> Answered:
    """Answer a call.

    Raises:
        ApiError: It cannot be asked, or nobody could answer it.
    """
    meter = begin(asked, is_stream=False)
    to_keep: list[tuple[Call, Result]] = []

    def ask_one(candidate: TargetCandidate, left_s: float) -> Result:
        meter.call = call = call_of(asked, candidate.target)
        kept = find_earlier(meter, candidate.target, call)
        if kept is not None:
            raise EarlierAnswer(candidate, kept)
        with candidate.busy():
            result = ask(
                candidate.target,
                call,
                left_s,
                meter.waiting,
                before_sending=before_sending(asked, candidate.target),
            )
        if candidate.target.cache_ttl_s:
            to_keep.append((call, result))
        return result

    result = first_answer(meter, ask_one).answer
    _check_length(meter, result)
    outcome = meter.finish(
        usage=result.usage,
        finish_reason=result.finish_reason if isinstance(result, ChatResult) else None,
        answer=kept_answer(result) if meter.target.logs_bodies else None,
    )
    for call, fresh in to_keep:
        response_cache.keep(asked, meter.target, call, fresh)
    return Answered(meter.target, result, outcome)


def stream(asked: Asked) -> CallStream:
    """Answer a call of a text in pieces.

    It returns with the first piece of text or tool call, or after `PATIENCE_S` without one: then
    the caller's answer begins, so that we notice when they leave, and the search goes on in it.

    Raises:
        ApiError: It cannot be asked, or nobody began to answer it in that time.
    """
    meter = begin(asked, is_stream=True)

    def opening(candidate: TargetCandidate, left_s: float) -> Steps[Opened]:
        call = call_of(asked, candidate.target)
        if not isinstance(call, ChatCall):
            raise TypeError("Only texts come in pieces.")
        meter.call = meter.asking = call
        kept = find_earlier(meter, candidate.target, call)
        if isinstance(kept, ChatResult):
            stored = StoredEvents(kept)
            raise EarlierAnswer(
                candidate, Opened(call, candidate, stored.take(0), stored, ExitStack())
            )
        try:
            return (yield from opening_steps(candidate, call, left_s, meter))
        except UpstreamError:
            # Nobody pays for it, not even who leaves before the next one is asked.
            meter.asking = None
            raise

    def search() -> Steps[Opened]:
        return (yield from answering_steps(meter, opening)).answer

    return CallStream(search(), meter=meter, keeper=keeper_of, patience_s=PATIENCE_S)


def _check_length(meter: Meter, result: Result) -> None:
    """Refuse an answer that is longer than policies allow; it is paid for all the same."""
    try:
        check_answer(meter.target, lambda: length_of(kept_answer(result)))
    except PolicyDenied as error:
        meter.finish(usage=result.usage, error=error)
        raise
