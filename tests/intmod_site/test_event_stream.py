"""Streams end whole: whoever has to be told is told, whatever the others raise."""

from collections.abc import Callable

import pytest

from intmod_site.api.event_stream import EventStream, Frames
from intmod_site.request_context import RequestContext, current_request_id, enter_request


def frames(on_close: Callable[[], None]) -> Frames:
    try:
        yield b"data: 1\n\n"
        yield b"data: 2\n\n"
    finally:
        on_close()
    return True


def breaking() -> None:
    raise OSError("broken")


@pytest.mark.django_db
@pytest.mark.parametrize("on_close", [lambda: None, breaking])
@pytest.mark.parametrize("close", [lambda: None, breaking])
def test_what_breaks_at_the_end_hides_nothing(
    on_close: Callable[[], None], close: Callable[[], None]
) -> None:
    told: list[bytes | None] = []
    closed: list[bool] = []

    def closing() -> None:
        closed.append(True)
        close()

    stream = EventStream(frames(on_close), close=closing)
    stream.when_over(told.append)
    next(iter(stream.streaming_content))
    stream.close()
    assert closed == [True]
    assert told == [None]


def test_a_stream_forgotten_amid_another_request_leaves_that_one_its_id() -> None:
    enter_request(RequestContext("the-first-one"))
    forgotten = EventStream(frames(lambda: None), close=lambda: None)
    content = iter(forgotten.streaming_content)
    enter_request(RequestContext("the-second-one"))
    next(content)
    assert current_request_id() == "the-second-one"
    forgotten.close()
    assert current_request_id() == "the-second-one"
    enter_request(None)
