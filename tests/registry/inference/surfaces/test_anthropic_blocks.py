"""A streamed message's blocks come one after another, however the provider mixes its pieces."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intmod_site.api.errors import ApiError
from registry.inference.calls import TextDelta, ToolCallDelta
from registry.inference.surfaces.anthropic.blocks import Blocks, Event


def begin(tool: int) -> ToolCallDelta:
    return ToolCallDelta(tool, "", f"c{tool}", f"f{tool}")


def more(tool: int, arguments: str) -> ToolCallDelta:
    return ToolCallDelta(tool, arguments)


def written(*pieces: TextDelta | ToolCallDelta) -> list[Event]:
    blocks = Blocks()
    return [*(event for piece in pieces for event in blocks.add(piece)), *blocks.end()]


def read(events: list[Event]) -> list[tuple[str, str]]:
    """Give each block as what it is and holds; every event must be of the open block."""
    found: list[tuple[str, str]] = []
    is_open = False
    for name, event in events:
        assert event["type"] == name
        if name == "content_block_start":
            assert not is_open
            assert event["index"] == len(found)
            start = event["content_block"]
            found.append((start.get("id", "text"), ""))
        else:
            assert is_open
            assert event["index"] == len(found) - 1
        if name == "content_block_delta":
            delta = event["delta"]
            what, held = found[-1]
            assert (delta["type"] == "text_delta") == (what == "text")
            found[-1] = (what, held + (delta.get("text") or delta.get("partial_json")))
        is_open = name != "content_block_stop"
    assert not is_open
    return found


def test_calls_written_at_once_come_one_after_another() -> None:
    mixed = [begin(0), begin(1), more(0, '{"x":'), more(1, '{"y":2}'), more(0, "1}")]
    assert read(written(*mixed)) == [("c0", '{"x":1}'), ("c1", '{"y":2}')]


def test_a_call_goes_out_when_the_one_before_it_is_complete() -> None:
    blocks = Blocks()
    seen: list[Any] = []
    for piece in (begin(0), more(0, '{"x":{}'), begin(1), more(1, '{"y":2}')):
        seen += blocks.add(piece)
    assert {event["index"] for _, event in seen} == {0}
    seen += blocks.add(more(0, "}"))
    assert {event["index"] for _, event in seen} == {0, 1}


def test_a_call_without_arguments_holds_up_the_next_until_the_end_only() -> None:
    assert read(written(begin(0), begin(1), more(1, "{}"))) == [("c0", ""), ("c1", "{}")]


def test_text_after_a_call_is_a_block_of_its_own() -> None:
    mixed = [TextDelta("a"), begin(0), TextDelta("b"), more(0, "{}"), TextDelta("c")]
    assert read(written(*mixed)) == [("text", "a"), ("c0", "{}"), ("text", "bc")]


def test_blanks_after_a_complete_call_are_nothing_and_more_is_a_fault() -> None:
    blocks = Blocks()
    for piece in (begin(0), more(0, "{}"), begin(1)):
        list(blocks.add(piece))
    assert list(blocks.add(more(0, " \n"))) == []
    with pytest.raises(ApiError) as raised:
        list(blocks.add(more(0, "{}")))
    assert raised.value.status == 502


@given(st.lists(st.lists(st.integers(1, 8), max_size=6), min_size=1, max_size=4), st.randoms())
def test_nothing_is_lost_or_mixed_up(cuts: list[list[int]], random: Any) -> None:
    """Whole arguments of each call arrive, whatever the order in which the pieces came."""
    whole = [json.dumps({f"key{tool}": {"n": tool}}) for tool in range(len(cuts))]
    left = []
    for tool, sizes in enumerate(cuts):
        rest, pieces = whole[tool], []
        for size in sizes:
            pieces.append(rest[:size])
            rest = rest[size:]
        left.append([begin(tool), *(more(tool, piece) for piece in [*pieces, rest])])
    mixed = []
    while any(left):
        mixed.append(random.choice([pieces for pieces in left if pieces]).pop(0))
    assert sorted(read(written(*mixed))) == [(f"c{tool}", text) for tool, text in enumerate(whole)]
