"""What an answer says of a rate that counts for its caller."""

from authz.limits.rates import Rate, Taken
from intmod_site.request_context import set_answer_header


def tell_rate(rate: Rate, taken: Taken) -> None:
    """Say on the answer what is left; of several limits the last one asked."""
    set_answer_header("RateLimit-Limit", str(rate.limit))
    set_answer_header("RateLimit-Remaining", str(taken.remaining))
    set_answer_header("RateLimit-Reset", str(-int(-taken.reset_s // 1)))
    set_answer_header("RateLimit-Policy", f"{rate.limit};w={rate.period_s:.0f}")
