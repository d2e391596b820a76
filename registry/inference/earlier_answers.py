"""Answers given before, where a version keeps them: found, judged anew, and kept."""

from collections.abc import Callable
from typing import Any

from intmod_site.database import release_connection
from registry.catalog.resolution import Target
from registry.inference import response_cache
from registry.inference.calls import Call, ChatCall, ChatResult, Result
from registry.inference.candidates import TargetCandidate
from registry.inference.guard import before_sending
from registry.inference.metering import Meter
from registry.inference.upstream import built


class EarlierAnswer(Exception):
    """An earlier answer is given again: nobody is asked, and no breaker learns anything."""

    def __init__(self, by: TargetCandidate, answer: Any) -> None:
        super().__init__()
        self.by = by
        self.answer = answer


def find_earlier(meter: Meter, target: Target, call: Call) -> Result | None:
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


def keeper_of(meter: Meter, call: ChatCall) -> Callable[[ChatResult], None] | None:
    """Give what keeps a stream's answer once it is complete."""
    target = meter.target
    if meter.from_cache or not target.cache_ttl_s:
        return None
    return lambda result: response_cache.keep(meter.asked, target, call, result)
