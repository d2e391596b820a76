"""Whether a call may be made: rates, parallel calls and budgets of its key and its project.

Each limit that is set costs one statement before anybody is asked and one after the answer; what
is not set costs nothing. A call takes all of its limits or none.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal

from django.db import Error
from django.utils import timezone

from authz.identity.principal import Principal
from authz.limits.call_limits import Allowance, allowances_of
from authz.limits.holds import Hold, hold, settle
from authz.limits.rate_headers import tell_rate
from authz.limits.rates import Rate, correct, take
from intmod_site.api.errors import Conflict, TooManyRequests
from registry.catalog.resolution import Target
from registry.inference.calls import Call, ChatCall, Usage
from registry.inference.costs import cost_of
from registry.inference.token_estimates import estimated_input_tokens

log = logging.getLogger("intmod.limits")

GRACE_S = 60.0
"""How much longer than its deadline a call's holds last: then its process is dead."""

NANO_USD = Decimal("1e-9")


@dataclass(slots=True)
class Admission:
    """What a call has taken of its limits, until it ended."""

    estimate: Usage
    parallel: list[Hold] = field(default_factory=list)
    budgets: list[Hold] = field(default_factory=list)
    tokens: list[tuple[str, Rate]] = field(default_factory=list)
    requests: list[tuple[str, Rate]] = field(default_factory=list)

    def settle(self, *, usage: Usage | None, cost_usd: Decimal | None) -> None:
        """Give back what was not used. What nobody knows counts as it was estimated.

        Args:
            usage: What is paid for.
            cost_usd: What it cost.
        """
        spent = None if cost_usd is None else _nano_usd(cost_usd)
        guessed = _all_tokens(self.estimate)
        used = guessed if usage is None else _all_tokens(usage)
        try:
            for held in self.parallel:
                settle(held=held, amount=0)
            for held in self.budgets:
                settle(held=held, amount=held.amount if spent is None else spent)
            for key, rate in self.tokens:
                correct(key=key, rate=rate, units=used - min(guessed, rate.limit))
        except Error:
            # The answer is there: it is not lost for its bookkeeping. The holds expire.
            log.exception("limits not settled")

    def give_up(self) -> None:
        """Give everything back: the call is not made."""
        for key, rate in self.requests:
            correct(key=key, rate=rate, units=-1)
        self.settle(usage=Usage(0), cost_usd=Decimal(0))


def admit(
    *,
    principal: Principal,
    target: Target,
    build: Callable[[Target], Call],
    deadline_s: float,
) -> Admission | None:
    """Take a call's part of every limit that counts for its caller.

    Args:
        principal: Who calls.
        target: Who is called for: the estimate is made with its prices.
        build: Makes the call, for the estimate.
        deadline_s: Seconds that it may take.

    Returns:
        What is to be settled in the end; None if nothing is limited.

    Raises:
        TooManyRequests: A limit has no more, saying which and when to come back.
        Conflict: There is a budget, and the price of this model is not known.
        ValidationFailed: As `build`.
    """
    allowances = allowances_of(
        snapshot=principal.snapshot,
        project_id=principal.project_id,
        credential_id=principal.credential_id,
    )
    if not allowances:
        return None
    admission = Admission(_estimate(build(target)))
    try:
        for allowance in allowances:
            _take_rates(admission, allowance)
            _take_holds(admission, allowance, target, deadline_s + GRACE_S)
    except BaseException:
        admission.give_up()
        raise
    return admission


def _take_rates(admission: Admission, allowance: Allowance) -> None:
    if allowance.requests_per_minute is not None:
        key, rate = f"requests:{allowance.subject}", Rate(allowance.requests_per_minute)
        taken = take(key=key, rate=rate)
        tell_rate(rate, taken)
        if not taken.allowed:
            raise _too_many(f"{rate.limit} requests a minute", allowance, taken.retry_after_s)
        admission.requests.append((key, rate))
    if allowance.tokens_per_minute is not None:
        key, rate = f"tokens:{allowance.subject}", Rate(allowance.tokens_per_minute)
        taken = take(key=key, rate=rate, units=_all_tokens(admission.estimate))
        if not taken.allowed:
            raise _too_many(f"{rate.limit} tokens a minute", allowance, taken.retry_after_s)
        admission.tokens.append((key, rate))


def _take_holds(
    admission: Admission, allowance: Allowance, target: Target, expires_s: float
) -> None:
    if allowance.parallel_calls is not None:
        held = hold(
            key=f"parallel:{allowance.subject}",
            amount=1,
            limit=allowance.parallel_calls,
            expires_s=expires_s,
        )
        if held is None:
            raise _too_many(f"{allowance.parallel_calls} calls at once", allowance, 1.0)
        admission.parallel.append(held)
    if allowance.budget_usd is not None:
        admission.budgets.append(_hold_budget(admission, allowance, target, expires_s))


def _hold_budget(
    admission: Admission, allowance: Allowance, target: Target, expires_s: float
) -> Hold:
    now = timezone.now()
    cost = cost_of(target, admission.estimate, now)
    if cost is None:
        raise Conflict(
            f"There is a budget for {allowance.whose}, and the price of {target.model}:"
            f"{target.number} is not known; give the version prices.",
            code="price_unknown",
        )
    budget = allowance.budget_usd or Decimal(0)
    held = hold(
        key=f"budget:{allowance.subject}:{allowance.budget_begins(now)}",
        amount=_nano_usd(cost),
        limit=_nano_usd(budget),
        expires_s=expires_s,
    )
    if held is None:
        raise TooManyRequests(
            f"The budget of {allowance.whose} ({budget:f} USD, {allowance.budget_window}) leaves "
            f"less than this call may cost ({cost:f} USD).",
            code="budget_exceeded",
            retry_after_s=_until_next(allowance.budget_window, now),
        )
    return held


def _until_next(window: str, now: datetime) -> float | None:
    """Give the seconds until a budget begins anew, None if it never does."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if window == "day":
        return round((midnight + timedelta(days=1) - now).total_seconds(), 3)
    if window == "month":
        first = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
        return round((first - now).total_seconds(), 3)
    return None


def _too_many(what: str, allowance: Allowance, retry_after_s: float) -> TooManyRequests:
    return TooManyRequests(
        f"The limit of {allowance.whose} is {what}.",
        code="rate_limited",
        retry_after_s=round(retry_after_s, 3),
    )


def _estimate(call: Call) -> Usage:
    """Guess a call's usage on the high side: all that it may write is written."""
    written = call.max_tokens if isinstance(call, ChatCall) else 0
    return Usage(estimated_input_tokens(call), written)


def _all_tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.output_tokens


def _nano_usd(usd: Decimal) -> int:
    return int((usd / NANO_USD).to_integral_value(ROUND_UP))
