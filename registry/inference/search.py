"""Searching for somebody who answers a call, with all that did not on record."""

from collections.abc import Callable
from contextlib import ExitStack
from math import inf
from time import monotonic
from typing import TypeVar

from integrations.http.steps import Steps, done
from intmod_site.api.errors import ApiError
from intmod_site.database import release_connection
from registry.catalog.resolution import Target
from registry.inference.admission import admit
from registry.inference.asked import Asked
from registry.inference.attempts import STEP_S, Answered, answering, at_once
from registry.inference.call_stream import Opened
from registry.inference.calls import Call, ChatCall, Usage
from registry.inference.candidates import TargetCandidate, plan_call
from registry.inference.crashes import crashed
from registry.inference.earlier_answers import EarlierAnswer
from registry.inference.guard import allowed_candidates, before_sending
from registry.inference.metering import Meter
from registry.inference.providers.failures import Kind
from registry.inference.providers.upstream_errors import UpstreamError
from registry.inference.records import record_refusal
from registry.inference.structured_output import check_form
from registry.inference.upstream_events import first_token_timeout_s, opening_events

LOCAL_DEADLINE_S = 120.0

Answer = TypeVar("Answer")


def begin(asked: Asked, *, is_stream: bool) -> Meter:
    """Plan a call and let it in; what is refused is on record.

    Raises:
        ApiError: It cannot be asked.
    """
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


def call_of(asked: Asked, target: Target) -> Call:
    """Give what is asked of one who may answer."""
    call = asked.build(target)
    check_form(call)
    return call


def first_answer(
    meter: Meter, ask_one: Callable[[TargetCandidate, float], Answer]
) -> Answered[TargetCandidate, Answer]:
    """Ask whoever may answer; a call that nobody answered is on record then."""
    return done(answering_steps(meter, at_once(ask_one), step_s=inf))


def answering_steps(
    meter: Meter,
    asking: Callable[[TargetCandidate, float], Steps[Answer]],
    *,
    step_s: float = STEP_S,
) -> Steps[Answered[TargetCandidate, Answer]]:
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
    except EarlierAnswer as kept:
        answered = Answered(kept.by, kept.answer, 0)
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


def opening_steps(
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


def _deadline_s(target: Target) -> float:
    """Everything together may take what the integration of the one called for allows."""
    return target.connection.deadlines.total_s if target.connection else LOCAL_DEADLINE_S
