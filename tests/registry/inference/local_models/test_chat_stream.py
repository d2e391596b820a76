import gc
import threading

import pytest

from registry.inference.calls import StreamEnd, TextDelta, Usage
from registry.inference.local_models.chat_stream import ChatStream

END = StreamEnd("stop", Usage(1, 2))


def deltas(count):
    return [TextDelta(str(number)) for number in range(count)]


def generator(events):
    yield from events


def test_events_come_in_order_and_end():
    stream = ChatStream(generator([*deltas(3), END]))
    assert list(stream) == [*deltas(3), END]
    assert list(stream) == []


def test_an_empty_answer_is_only_an_end():
    assert list(ChatStream(generator([END]))) == [END]


def test_what_is_wrong_from_the_start_is_raised_at_once():
    def events():
        raise LookupError("no")
        yield

    with pytest.raises(LookupError):
        ChatStream(events())


def test_what_goes_wrong_later_is_raised_in_its_place():
    def events():
        yield from deltas(2)
        raise LookupError("cut")

    stream = ChatStream(events())
    assert [next(stream), next(stream)] == deltas(2)
    with pytest.raises(LookupError):
        next(stream)
    assert list(stream) == []


def test_the_maker_does_not_wait_for_the_reader():
    done = threading.Event()

    def events():
        yield from deltas(1000)
        done.set()
        yield END

    stream = ChatStream(events())
    assert done.wait(5)
    assert len(list(stream)) == 1001


@pytest.mark.parametrize(
    "leave", [ChatStream.close, lambda stream: None], ids=["closed", "dropped"]
)
def test_the_maker_stops_when_nobody_reads_any_more(leave):
    proceed, closed = threading.Event(), threading.Event()

    def events():
        try:
            yield TextDelta("first")
            assert proceed.wait(5)
            while True:
                yield TextDelta("more")
        finally:
            closed.set()

    stream = ChatStream(events())
    leave(stream)
    del stream
    gc.collect()
    proceed.set()
    assert closed.wait(5)
