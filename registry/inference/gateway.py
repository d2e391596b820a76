"""The one call path: from what is asked to who answers, with everything on record.

Presenters (the six endpoints, the compatible surfaces) make an Asked and show what comes back;
resolution, tries, fallbacks, deadlines, checks and records are here, the same for all of them.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any, TypeVar

from authz.policies.enforcement import PolicyDenied
from integrations.http.steps import Steps, done
from intmod_site.api.errors import ApiError
from intmod_site.database import release_connection
from registry.catalog.resolution import Target
from registry.inference import response_cache
from registry.inference.admission import admit
from registry.inference.asked import Asked
from registry.inference.attempts import STEP_S, answering, at_once
from registry.inference.attempts import Answered as AnsweredTry
from registry.inference.call_stream import CallStream, Opened
from registry.inference.calls import Call, ChatCall, ChatResult, Result, Usage
from registry.inference.candidates import TargetCandidate, plan_call
from registry.inference.crashes import crashed
from registry.inference.guard import (
    allowed_candidates,
    before_sending,
    check_answer,
    length_of,
)
from registry.inference.metering import Meter
from registry.inference.providers.stored_events import StoredEvents
from registry.inference.providers.upstream_errors import Kind, UpstreamError
from registry.inference.records import Outcome, kept_answer, record_refusal
from registry.inference.structured_output import check_form
from registry.inference.upstream import ask, built
from registry.inference.upstream_events import first_token_timeout_s, opening_events

LOCAL_DEADLINE_S = 120.0

PATIENCE_S = 5.0
"""How long a stream's caller waits for the first piece without hearing anything from us: a failure
in this time has a status of its own, a later one is an error in the stream."""

Answer = TypeVar("Answer")


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
    meter = _begin(asked, is_stream=False)
    to_keep: list[tuple[Call, Result]] = []

    def ask_one(candidate: TargetCandidate, left_s: float) -> Result:
        call = _call_of(asked, candidate.target)
        kept = _kept(meter, candidate.target, call)
        if kept is not None:
            raise _Kept(candidate, kept)
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

    result = _first_answer(meter, ask_one).answer
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
    meter = _begin(asked, is_stream=True)
    asking: list[ChatCall] = []

    def opening(candidate: TargetCandidate, left_s: float) -> Steps[Opened]:
        call = _call_of(asked, candidate.target)
        if not isinstance(call, ChatCall):
            raise TypeError("Only texts come in pieces.")
        asking[:] = [call]
        kept = _kept(meter, candidate.target, call)
        if isinstance(kept, ChatResult):
            stored = StoredEvents(kept)
            raise _Kept(candidate, Opened(call, candidate, stored.take(0), stored, ExitStack()))
        return (yield from _opening(candidate, call, left_s, meter))

    def search() -> Steps[Opened]:
        return (yield from _answering(meter, opening)).answer

    return CallStream(search(), meter=meter, asking=asking, keeper=_keeper, patience_s=PATIENCE_S)


class _Kept(Exception):
    """An earlier answer is given again: nobody is asked, and no breaker learns anything."""

    def __init__(self, by: TargetCandidate, answer: Any) -> None:
        super().__init__()
        self.by = by
        self.answer = answer


def _kept(meter: Meter, target: Target, call: Call) -> Result | None:
    """Give an earlier answer, if the version keeps answers.

    Raises:
        PolicyDenied: A policy on the integration forbids to ask for it now.
    """
    if not target.cache_ttl_s:
        return None
    kept = response_cache.find(meter.asked, target, call)
    release_connection()
    if kept is not None and target.connection_policies:
        # What is not sent is judged like what is: policies may have changed, and hours pass.
        before_sending(meter.asked, target)(built(target, call, stream=meter.is_stream))
    meter.note_cache(hit=kept is not None)
    return kept


def _keeper(meter: Meter, call: ChatCall) -> Callable[[ChatResult], None] | None:
    """Give what keeps a stream's answer once it is complete."""
    target = meter.target
    if meter.from_cache or not target.cache_ttl_s:
        return None
    return lambda result: response_cache.keep(meter.asked, target, call, result)


def _begin(asked: Asked, *, is_stream: bool) -> Meter:
    try:
        plan = plan_call(
            snapshot=asked.principal.snapshot,
            project_id=asked.principal.project_id,
            reference=asked.reference,
            task=asked.task,
        )
    except ApiError as refused:
        record_refusal(
            principal=asked.principal, task=asked.task, reference=asked.reference, error=refused
        )
        raise
    meter = Meter(asked, plan, is_stream=is_stream)
    try:
        meter.admission = admit(
            principal=asked.principal,
            target=plan.target,
            build=asked.build,
            deadline_s=_deadline_s(plan.target),
        )
    except ApiError as refused:
        meter.finish(usage=Usage(0), error=refused)
        raise
    return meter


def _call_of(asked: Asked, target: Target) -> Call:
    call = asked.build(target)
    check_form(call)
    return call


def _first_answer(
    meter: Meter, ask_one: Callable[[TargetCandidate, float], Answer]
) -> AnsweredTry[TargetCandidate, Answer]:
    """Ask whoever may answer; a call that nobody answered is on record then."""
    return done(_answering(meter, at_once(ask_one), step_s=inf))


def _answering(
    meter: Meter,
    asking: Callable[[TargetCandidate, float], Steps[Answer]],
    *,
    step_s: float = STEP_S,
) -> Steps[AnsweredTry[TargetCandidate, Answer]]:
    """Do so step by step."""
    release_connection()
    try:
        answered = yield from answering(
            allowed_candidates(meter.asked, meter.plan),
            asking,
            deadline_s=_deadline_s(meter.target),
            wait=meter.waiting.sleep,
            step_s=step_s,
        )
    except _Kept as kept:
        answered = AnsweredTry(kept.by, kept.answer, 0)
    except ApiError as error:
        # Tries that failed are not paid for.
        meter.finish(usage=Usage(0), error=error)
        raise
    except Exception as bug:  # noqa: BLE001 -- whatever it is, it is on record and told
        fault = crashed(bug)
        meter.finish(usage=Usage(0), error=fault)
        raise fault from None
    meter.answered_by(answered.by.target, answered.tries)
    return answered


def _opening(
    candidate: TargetCandidate, call: ChatCall, left_s: float, meter: Meter
) -> Steps[Opened]:
    """Open one target's stream and wait for its first event: so long somebody else may be asked."""
    until_s = monotonic() + first_token_timeout_s(candidate.target, left_s)
    with ExitStack() as opening:
        opening.enter_context(candidate.busy())
        source = yield from opening_events(
            candidate.target,
            call,
            left_s,
            meter.waiting,
            before_sending=before_sending(meter.asked, candidate.target),
        )
        opening.callback(source.close)
        while True:
            step_s = min(max(until_s - monotonic(), 0.0), STEP_S)
            with meter.waiting:
                first = source.take(step_s)
            if first is not None:
                return Opened(call, candidate, first, source, opening.pop_all())
            if monotonic() >= until_s:
                raise UpstreamError(Kind.FIRST_BYTE_TIMEOUT)
            yield


def _check_length(meter: Meter, result: Result) -> None:
    """Refuse an answer that is longer than policies allow; it is paid for all the same."""
    try:
        check_answer(meter.target, lambda: length_of(kept_answer(result)))
    except PolicyDenied as error:
        meter.finish(usage=result.usage, error=error)
        raise


def _deadline_s(target: Target) -> float:
    """Everything together may take what the integration of the one called for allows."""
    return target.connection.deadlines.total_s if target.connection else LOCAL_DEADLINE_S
