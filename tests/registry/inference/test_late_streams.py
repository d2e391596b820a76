"""Streams whose first piece is long in coming: the answer begins without it."""

import time
from typing import Any

import pytest

from registry.inference import gateway, search, upstream_events
from registry.models import InferenceRecord
from tests.api_client import ApiClient
from tests.integrations.http.scripted_server import Peer, Script
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.events import ask_for_stream, events, leave, read
from tests.registry.inference.raw_upstream import (
    HELLO,
    ROLE,
    after_request,
    in_turn,
    refused,
    silence,
    stream_then,
    streaming,
)

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def impatient(patience: None, monkeypatch: pytest.MonkeyPatch, developer: ApiClient) -> None:
    # A process's first call takes long in itself.
    developer.refused(400, "POST", "ai/generate", {})
    monkeypatch.setattr(gateway, "PATIENCE_S", 0.01)
    for module in (search, upstream_events):
        monkeypatch.setattr(module, "STEP_S", 0.05)


def last_record() -> InferenceRecord:
    record: InferenceRecord = InferenceRecord.objects.latest("id")
    return record


def slowly(*parts: bytes) -> Script:
    """Say nothing for longer than a step, then answer."""

    def script(peer: Peer) -> None:
        while peer.request():
            time.sleep(3)
            peer.send(_framed(parts))

    return script


def _framed(parts: tuple[bytes, ...]) -> bytes:
    body = b"".join(parts)
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


def test_a_caller_hears_that_somebody_is_there_and_then_the_answer(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(slowly(*HELLO))
    response = ask_for_stream(developer)
    assert float(response.headers["X-Intmod-Overhead-Ms"]) >= 0
    frames = list(response.streaming_content)
    assert frames[0].startswith(b":")
    assert list(events(frames))[-1][1]["data"]["result"] == "Hello."
    record = last_record()
    assert (record.status, record.input_tokens, record.tries) == (200, 9, 1)
    assert (record.first_token_ms or 0) >= 3000
    assert f"{record.overhead_ms}" == response.headers["X-Intmod-Overhead-Ms"]


@pytest.mark.parametrize(
    "first",
    [after_request(silence), stream_then(ROLE, then=silence)],
    ids=["no answer", "no first piece"],
)
def test_somebody_else_may_still_answer(
    serve_model: ServeModel, developer: ApiClient, first: Script
) -> None:
    serve_model(streaming(*HELLO), "spare")
    serve_model(first, fallbacks=[{"model": "spare"}], first_byte_timeout_s=3)
    response = ask_for_stream(developer)
    frames = list(response.streaming_content)
    assert frames[0].startswith(b":")
    data = list(events(frames))[-1][1]["data"]
    assert (data["model"], data["result"]) == ("spare", "Hello.")
    assert last_record().model == "spare"


def test_the_same_provider_is_tried_again_after_the_wait_it_asked_for(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    busy = refused("429 Too Many", "slow", headers="Retry-After: 1\r\nConnection: close")
    server = serve_model(in_turn(busy, streaming(*HELLO)), max_retries=2)
    frames = list(ask_for_stream(developer).streaming_content)
    assert frames[0].startswith(b":")
    assert list(events(frames))[-1][1]["data"]["result"] == "Hello."
    assert last_record().tries == len(server.requests) == 2


def test_with_nobody_to_answer_it_is_an_error_in_the_stream(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(after_request(silence), first_byte_timeout_s=3)
    ((name, envelope),) = read(ask_for_stream(developer))
    assert (name, envelope["success"]) == ("error", False)
    assert envelope["error_details"]["code"] == "upstream_first_byte_timeout"
    record = last_record()
    assert (record.status, record.input_tokens, record.cost_usd) == (504, 0, 0)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_on_the_compatible_surfaces_too(
    serve_model: ServeModel, developer: ApiClient, path: str
) -> None:
    serve_model(slowly(*HELLO))
    serve_model(after_request(silence), "silent", first_byte_timeout_s=3)
    body: dict[str, Any] = {
        "model": "remote",
        "max_tokens": 9,
        "stream": True,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    whole = b"".join(_streamed(developer, path, body))
    assert whole.startswith(b":")
    assert b"[DONE]" in whole or b"message_stop" in whole
    broken = b"".join(_streamed(developer, path, body | {"model": "silent"}))
    assert broken.startswith(b":")
    assert b"did not begin to answer in time" in broken
    assert b"[DONE]" not in broken
    assert b"message_stop" not in broken


def _streamed(developer: ApiClient, path: str, body: dict[str, Any]) -> Any:
    response: Any = developer.call("POST", path, body)
    assert response.status_code == 200, response.content
    return response.streaming_content


@pytest.mark.parametrize("begins", [False, True], ids=["no answer", "no first piece"])
def test_a_caller_who_leaves_before_the_first_piece_stops_the_upstream_and_is_metered(
    serve_model: ServeModel, developer: ApiClient, begins: bool
) -> None:
    hung_up_at: list[float] = []

    def wait(peer: Peer) -> None:
        hung_up_at.append(peer.wait_for_hangup())

    spare = serve_model(streaming(*HELLO), "spare")
    serve_model(
        stream_then(ROLE, then=wait) if begins else after_request(wait),
        fallbacks=[{"model": "spare"}],
        max_retries=3,
    )
    response = ask_for_stream(developer)
    assert next(iter(response.streaming_content)).startswith(b":")
    left_at = time.monotonic()
    leave(response)
    while not hung_up_at and time.monotonic() < left_at + 20:
        time.sleep(0.01)
    assert hung_up_at[0] - left_at < 10, "the silence itself lasts longer"
    assert spare.requests == []
    record = last_record()
    assert (record.status, record.error_code, record.is_estimated) == (499, "client_closed", True)
    assert (record.input_tokens or 0) > 0
    assert record.output_tokens == 0
    assert (record.cost_usd or 0) > 0


def test_a_caller_who_leaves_between_two_tries_pays_for_neither(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    busy = refused("429 Too Many", "slow", headers="Retry-After: 20\r\nConnection: close")
    server = serve_model(busy, max_retries=2)
    response = ask_for_stream(developer)
    assert next(iter(response.streaming_content)).startswith(b":")
    leave(response)
    assert len(server.requests) == 1
    record = last_record()
    assert (record.status, record.is_estimated) == (499, False)
    assert (record.input_tokens, record.cost_usd) == (0, 0)
