"""JSON that looks like a provider's, with anything anywhere."""

from typing import Any

import orjson
from hypothesis import strategies as st

DEEP = b"[" * 100_000 + b"]" * 100_000
"""What exhausts the stack of whoever reads it without looking."""

_NAMES = st.sampled_from(
    sorted(
        {"choices", "index", "message", "delta", "content", "refusal", "tool_calls", "function"}
        | {"name", "arguments", "id", "usage", "error", "type", "text", "code", "param", "detail"}
        | {"object", "model", "finish_reason", "stop_reason", "content_block", "input", "data"}
        | {"partial_json", "prompt_tokens_details", "cached_tokens", "input_tokens", "embedding"}
    )
)
_TYPES = sorted(
    {"", "stop", "error", "text", "tool_use", "message_start", "message_delta", "text_delta"}
    | {"content_block_start", "content_block_delta", "content_block_stop", "input_json_delta"}
)
_SCALARS = st.none() | st.booleans() | st.integers(-1, 600) | st.sampled_from(_TYPES)


def _nested(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, max_size=3) | st.dictionaries(_NAMES, values, max_size=6)


ANY_ANSWER: st.SearchStrategy[bytes] = st.dictionaries(
    _NAMES, st.recursive(_SCALARS, _nested, max_leaves=12), max_size=8
).map(orjson.dumps)
