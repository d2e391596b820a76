import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.inference.local_models.llama.stop_texts import StopTexts


def pushed(stops, pieces):
    filtered = StopTexts(stops)
    shown = "".join(filtered.push(piece) for piece in pieces)
    return shown + filtered.finish(), filtered.matched


@pytest.mark.parametrize(
    ("stops", "pieces", "shown", "matched"),
    [
        ([], ["a", "b"], "ab", False),
        (["", "x"], ["a", "b"], "ab", False),
        (["END"], ["some E", "N", "D more"], "some ", True),
        (["END"], ["some E", "N", "T"], "some ENT", False),
        (["END"], ["EEND"], "E", True),
        (["aab"], ["aaa", "ab"], "aa", True),
        (["\n\n", "User:"], ["Hi", "\n", "User", ":"], "Hi\n", True),
        (["b", "abc"], ["abc"], "", True),
    ],
)
def test_examples(stops, pieces, shown, matched):
    assert pushed(stops, pieces) == (shown, matched)


def test_what_cannot_be_a_stop_text_is_shown_at_once():
    stops = StopTexts(["###"])
    assert stops.push("text #") == "text "
    assert stops.push("1") == "#1"


@given(
    stops=st.lists(st.text("ab", min_size=1, max_size=3), max_size=3),
    pieces=st.lists(st.text("abc", max_size=4), max_size=8),
)
def test_nothing_is_shown_from_a_stop_text_on_and_nothing_before_it_is_lost(stops, pieces):
    shown, matched = pushed(stops, pieces)
    text = "".join(pieces)
    assert text.startswith(shown)
    assert not any(stop in shown for stop in stops)
    assert matched == any(stop in text for stop in stops)
    if matched:
        assert any(text.startswith(stop, len(shown)) for stop in stops)
    else:
        assert shown == text
