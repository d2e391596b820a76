"""What JSON is taken, and what is refused with which status."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intmod_site.api.errors import MalformedRequest, PayloadTooLarge
from intmod_site.api.strict_json import MAX_DEPTH, parse_json

LIMIT = 1000

REFUSED = [
    (b'{"a":1,"a":2}', "twice"),
    (b'[{"a":{"b":1,"b":1}}]', "twice"),
    (b'{"a":1,"\\u0061":2}', "twice"),
    (b'{"a":NaN}', "NaN"),
    (b'{"a":Infinity}', "Infinity"),
    (b'{"a":-Infinity}', "Infinity"),
    (b'{"a":1e999}', "too large"),
    (b'{"a":"\\u0000"}', "NUL"),
    (b'{"\\u0000":1}', "NUL"),
    (b'{"a":"\x00"}', "not JSON"),
    (b'{"a":"\\ud800"}', "surrogate"),
    (b'{"a":["\\udfff"]}', "surrogate"),
    (b'{"\\uD83D":1}', "surrogate"),
    (b'{"a":9223372036854775808}', "64 bits"),
    (b'{"a":-9223372036854775809}', "64 bits"),
    (b'{"a":' + b"9" * 900 + b"}", "64 bits"),
    (b'{"a":"\xff"}', "UTF-8"),
    (b"\xef\xbb\xbf{}", "JSON"),
    (b"[" * 65 + b"]" * 65, "nested"),
    (b'{"a":' * 65 + b"1" + b"}" * 65, "nested"),
    (b"[" * 450 + b"]" * 450, "nested"),
    (b"{", "JSON"),
    (b"{} {}", "JSON"),
    (b"{'a':1}", "JSON"),
    (b'{"a":01}', "JSON"),
    (b" ", "JSON"),
]


@pytest.mark.parametrize(("body", "word"), REFUSED)
def test_what_readers_disagree_about_is_refused(body: bytes, word: str) -> None:
    with pytest.raises(MalformedRequest, match=word):
        parse_json(body, limit_bytes=LIMIT)


def test_deep_nesting_exhausts_no_stack() -> None:
    for depth in (900, 100_000):
        with pytest.raises(MalformedRequest, match="nested"):
            parse_json(b"[" * depth + b"]" * depth, limit_bytes=10**6)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a":9223372036854775807}', {"a": 2**63 - 1}),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
        (b'"' + b"[" * 500 + b'"', "[" * 500),
    ],
)
def test_what_only_looks_dangerous_is_taken(body: bytes, value: Any) -> None:
    parsed = parse_json(body, limit_bytes=LIMIT)
    assert value is None or parsed == value


def test_long_bodies_are_not_read() -> None:
    with pytest.raises(PayloadTooLarge):
        parse_json(b" " * (LIMIT + 1), limit_bytes=LIMIT)


def test_a_long_key_is_cut_in_the_message() -> None:
    key = b"k" * 400
    with pytest.raises(MalformedRequest) as raised:
        parse_json(b'{"%s":1,"%s":2}' % (key, key), limit_bytes=LIMIT)
    assert len(raised.value.message) < 200


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    | st.integers(-(2**63), 2**63 - 1),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(json_values)
def test_whatever_is_taken_means_what_it_says(value: Any) -> None:
    body = json.dumps(value).encode()
    try:
        assert parse_json(body, limit_bytes=10**6) == value
    except MalformedRequest:
        assert "\\u0000" in body.decode()


@given(st.text('{}[]":,0123456789.eE+-truefalsnI\\u \n"d8', max_size=30))
@settings(max_examples=300)
def test_whatever_is_taken_is_what_json_reads(text: str) -> None:
    try:
        value = parse_json(text.encode(), limit_bytes=LIMIT)
    except MalformedRequest:
        return
    assert json.dumps(value) == json.dumps(json.loads(text))


@given(st.binary(max_size=200))
def test_no_bytes_are_an_error_of_ours(body: bytes) -> None:
    with suppress(MalformedRequest, PayloadTooLarge):
        parse_json(body, limit_bytes=LIMIT)
