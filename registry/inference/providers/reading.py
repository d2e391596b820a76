"""What upstreams' JSON may be, where it is not what it should be."""

import msgspec

from registry.inference.calls import Usage

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading JSON raises: it is none or of another form, no UTF-8, or nested without end."""

MAX_TOKENS = 2**31 - 1
"""More than any model reads or writes, and what a row can hold."""


def plausible(usage: Usage) -> Usage | None:
    """Give a usage, or None if its numbers cannot be: then nobody knows what was used.

    A count below zero would give budgets back, a part above its total costs less than nothing.
    """
    counts = (
        usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cache_write_tokens,
        usage.reasoning_tokens,
    )  # fmt: skip
    if min(counts) < 0 or max(counts) > MAX_TOKENS:
        return None
    return usage if usage.cached_tokens + usage.cache_write_tokens <= usage.input_tokens else None
