"""What an answer says of a rate that counts for its caller."""

from authz.limits.rates import Rate, Taken
from intmod_site.request_context import current_request

REMAINING = "RateLimit-Remaining"


def tell_rate(rate: Rate, taken: Taken) -> None:
    """Say on the answer what is left: of several rates the one that refuses, or leaves least."""
    request = current_request()
    if request is None:
        return
    told = request.answer_headers.get(REMAINING)
    if taken.allowed and told is not None and int(told) <= taken.remaining:
        return
    request.answer_headers |= {
        "RateLimit-Limit": str(rate.limit),
        REMAINING: str(taken.remaining),
        "RateLimit-Reset": str(-int(-taken.reset_s // 1)),
        "RateLimit-Policy": f"{rate.limit};w={rate.period_s:.0f}",
    }
