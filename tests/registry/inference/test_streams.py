"""Answers in pieces through our envelope, from providers on raw sockets."""

import gzip
import time
from decimal import Decimal
from typing import Any

import pytest

from registry.models import InferenceRecord
from tests.api_client import ApiClient
from tests.integrations.http.scripted_server import Peer, Script
from tests.registry.conftest import Register
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.events import ask_for_stream, leave, read
from tests.registry.inference.raw_upstream import (
    CLOSING_HEAD,
    COUNTED,
    DONE,
    END,
    HELLO,
    ROLE,
    STOP,
    STREAM_HEAD,
    after_request,
    chunk,
    completing,
    delta,
    hang_up,
    in_turn,
    refused,
    reset_at_once,
    silence,
    stream_then,
    streaming,
)

FORTY = [delta(f"{number} ") for number in range(40)]


def last_record() -> InferenceRecord:
    record: InferenceRecord = InferenceRecord.objects.latest("id")
    return record


def test_text_comes_in_pieces_and_the_result_in_the_end(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(streaming(*HELLO))
    response = ask_for_stream(developer)
    assert float(response.headers["X-Intmod-Overhead-Ms"]) >= 0
    assert response.headers["Cache-Control"] == "no-cache"
    *deltas, (last, envelope) = read(response)
    assert deltas == [("delta", {"text": "Hel"}), ("delta", {"text": "lo."})]
    assert last == "result"
    assert envelope["success"] is True
    assert envelope["request_id"] == response.headers["X-Request-Id"]
    data = envelope["data"]
    assert (data["result"], data["finish_reason"]) == ("Hello.", "stop")
    assert data["usage"] == {"input_tokens": 9, "output_tokens": 4}
    assert Decimal(data["cost_usd"]) == Decimal("0.000017")
    assert b'"include_usage":true' in server.requests[0]
    record = last_record()
    assert (record.status, record.input_tokens, record.is_stream) == (200, 9, True)
    assert (record.is_estimated, record.tries) == (False, 1)
    assert 0 <= (record.first_token_ms or -1) <= record.latency_ms
    assert record.request_id == envelope["request_id"]


@pytest.mark.parametrize(
    ("task", "body", "result"),
    [
        (
            "chat",
            {"messages": [{"role": "user", "content": "Hi"}]},
            {"role": "assistant", "content": "Hello."},
        ),
        ("code", {"instruction": "Greet.", "language": "python"}, None),
    ],
)
def test_every_endpoint_of_texts_streams(
    serve_model: ServeModel, developer: ApiClient, task: str, body: dict[str, Any], result: Any
) -> None:
    serve_model(streaming(*HELLO))
    last, envelope = read(ask_for_stream(developer, task, **body))[-1]
    assert last == "result"
    assert result is None or envelope["data"]["result"] == result


def test_the_connection_is_kept_for_the_next_stream(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(streaming(*HELLO))
    for _ in range(3):
        read(ask_for_stream(developer))
    assert server.accepted == 1


def test_a_model_in_this_process_streams_too(
    register: Register, developer: ApiClient, provider: Any
) -> None:
    register()
    events = read(ask_for_stream(developer, model="smol"))
    assert [name for name, _ in events] == ["delta", "result"]
    assert events[-1][1]["data"]["result"] == "Hello."


FIRST_BYTE_TIMEOUT = "upstream_first_byte_timeout"
IDLE_TIMEOUT = "upstream_idle_timeout"
TOO_MANY = refused("429 Too Many", "slow down", headers="Retry-After: 3600")
OVERLOADED = b'data: {"error":{"message":"overloaded","code":503}}\n\n'


# ── What goes wrong before the first piece of text: an ordinary refusal, or somebody else ─────


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        (TOO_MANY, 429, "upstream_rate_limited"),
        (refused("400 Bad", "too long", "context_length_exceeded"), 400, "context_length_exceeded"),
        (refused("400 Bad", "filtered", "content_filter"), 400, "content_filter"),
        (refused("401 No", "Incorrect API key provided"), 502, "upstream_auth_failed"),
        (refused("500 Oops", "oops"), 502, "upstream_server_error"),
        (after_request(reset_at_once), 502, "upstream_reset"),
        (after_request(silence), 504, FIRST_BYTE_TIMEOUT),
        (stream_then(ROLE, then=silence), 504, FIRST_BYTE_TIMEOUT),
        (stream_then(ROLE, then=hang_up), 502, "upstream_reset"),
        (streaming(ROLE, DONE), 502, "upstream_stream_cut"),
        (streaming(ROLE), 502, "upstream_stream_cut"),
        (streaming(b"data: {nonsense\n\n"), 502, "upstream_malformed"),
        (streaming(OVERLOADED), 502, "upstream_overloaded"),
        (stream_then(b"data: " + b"x" * 5_000_000, then=silence), 502, "upstream_malformed"),
        (completing(), 502, "upstream_malformed"),
    ],
)  # fmt: skip
def test_before_the_first_piece_it_is_an_ordinary_refusal(
    serve_model: ServeModel, developer: ApiClient, script: Script, status: int, code: str | None
) -> None:
    serve_model(script, first_byte_timeout_s=0.5 if code == FIRST_BYTE_TIMEOUT else 25)
    body = {"model": "remote", "prompt": "Hi", "stream": True}
    envelope = developer.refused(status, "POST", "ai/generate", body)
    assert code is None or envelope["error_details"]["code"] == code
    record = last_record()
    assert (record.status, record.is_stream, record.input_tokens) == (status, True, 0)
    assert record.cost_usd == 0


def test_before_the_first_piece_the_same_provider_is_tried_again(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(
        in_turn(stream_then(ROLE, then=hang_up), after_request(oops), streaming(*HELLO)),
        max_retries=4,
    )
    assert read(ask_for_stream(developer))[-1][1]["data"]["result"] == "Hello."
    assert len(server.requests) >= 3
    assert last_record().tries == len(server.requests)


def test_before_the_first_piece_a_fallback_may_answer(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(streaming(*HELLO), "spare")
    serve_model(
        stream_then(ROLE, then=silence), fallbacks=[{"model": "spare"}], first_byte_timeout_s=0.2
    )
    data = read(ask_for_stream(developer))[-1][1]["data"]
    assert (data["model"], data["result"]) == ("spare", "Hello.")
    assert last_record().model == "spare"


def oops(peer: Peer) -> None:
    peer.answer(b"{}", status="500 Oops")


def trickle_in_a_line(peer: Peer) -> None:
    peer.trickle(chunk(b"x") * 200, 0.02)


def no_chunk(peer: Peer) -> None:
    peer.send(b"zz\r\nnot a chunk")


# ── What goes wrong after it: an error in the stream, and never a result ──────────────────────


def closing(*parts: bytes) -> Script:
    """Stream without chunks: only the end of the connection ends it."""

    def act(peer: Peer) -> None:
        peer.send(CLOSING_HEAD + b"".join(parts))
        hang_up(peer)

    return after_request(act)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (stream_then(*FORTY, then=hang_up), "upstream_reset"),
        (stream_then(*FORTY, then=reset_at_once), "upstream_reset"),
        (closing(*FORTY), "upstream_stream_cut"),
        (streaming(*FORTY), "upstream_stream_cut"),
        (streaming(*FORTY, DONE), "upstream_stream_cut"),
        (stream_then(*FORTY, then=silence), IDLE_TIMEOUT),
        (streaming(*FORTY, b"data: {nonsense\n\n", *HELLO), "upstream_malformed"),
        (stream_then(*FORTY, then=no_chunk), "upstream_reset"),
        (streaming(*FORTY, OVERLOADED), "upstream_overloaded"),
        (stream_then(*FORTY, b"data: ", then=trickle_in_a_line), IDLE_TIMEOUT),
        (stream_then(*FORTY, b"data: " + b"x" * 20_000_000, then=silence), "upstream_malformed"),
    ],
)  # fmt: skip
def test_after_the_first_piece_a_failure_is_an_error_event(
    serve_model: ServeModel, developer: ApiClient, script: Script, code: str
) -> None:
    spare = serve_model(streaming(*HELLO), "spare")
    server = serve_model(
        script,
        idle_timeout_s=0.5 if code == IDLE_TIMEOUT else 25,
        max_retries=3,
        fallbacks=[{"model": "spare"}],
    )
    *deltas, (last, envelope) = read(ask_for_stream(developer))
    assert "".join(data["text"] for _, data in deltas) == "".join(f"{n} " for n in range(40))
    assert last == "error"
    assert envelope["success"] is False
    assert envelope["error_details"]["code"] == code
    assert (len(server.requests), len(spare.requests)) == (1, 0)
    record = last_record()
    assert (record.error_code, record.model) == (envelope["error_details"]["code"], "remote")
    # What was delivered is paid for; nobody said how much it was.
    assert record.is_estimated
    assert (record.output_tokens or 0) > 20


def test_who_breaks_most_streams_is_left_alone_for_a_while(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    whole, broken = closing(*HELLO), stream_then(*FORTY, then=hang_up)
    server = serve_model(in_turn(broken, whole, broken))
    for _ in range(5):
        read(ask_for_stream(developer))
    assert len(server.requests) == 5
    body = {"model": "remote", "prompt": "Hi", "stream": True}
    envelope = developer.refused(503, "POST", "ai/generate", body)
    assert envelope["error_details"]["code"] == "circuit_open"
    assert len(server.requests) == 5


def test_an_end_with_its_reason_needs_no_done(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(streaming(ROLE, delta("Hello."), STOP, COUNTED))
    assert read(ask_for_stream(developer))[-1][0] == "result"


def test_a_filter_that_strikes_in_the_middle_is_the_reason_of_the_end(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(streaming(ROLE, delta("I wi"), delta(finish="content_filter"), COUNTED, DONE))
    name, envelope = read(ask_for_stream(developer))[-1]
    assert (name, envelope["data"]["finish_reason"]) == ("result", "content_filter")


def test_an_upstream_that_counts_nothing_leaves_the_cost_unknown(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(streaming(delta("Hello."), STOP, DONE))
    data = read(ask_for_stream(developer))[-1][1]["data"]
    assert data["usage"] == {"input_tokens": None, "output_tokens": None}
    assert data["cost_usd"] is None
    assert last_record().input_tokens is None


def test_a_packed_stream_is_read(serve_model: ServeModel, developer: ApiClient) -> None:
    packed = gzip.compress(b"".join(HELLO))

    def script(peer: Peer) -> None:
        while peer.request():
            head = STREAM_HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
            peer.send(head + chunk(packed) + END)

    serve_model(script)
    assert read(ask_for_stream(developer))[-1][1]["data"]["result"] == "Hello."


# ── The caller goes away ──────────────────────────────────────────────────────────────────────


def test_a_caller_who_leaves_stops_the_upstream_and_is_metered(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    hung_up_at: list[float] = []

    def wait(peer: Peer) -> None:
        hung_up_at.append(peer.wait_for_hangup())

    serve_model(stream_then(ROLE, *FORTY, then=wait))
    response = ask_for_stream(developer)
    frames = iter(response.streaming_content)
    for _ in range(40):
        next(frames)
    # Silence: the stream keeps asking whether anybody is there.
    assert next(frames).startswith(b":")
    left_at = time.monotonic()
    leave(response)
    while not hung_up_at and time.monotonic() < left_at + 20:
        time.sleep(0.01)
    assert hung_up_at[0] - left_at < 10, "the silence itself lasts longer"
    record = last_record()
    assert (record.status, record.error_code, record.is_estimated) == (499, "client_closed", True)
    assert (record.output_tokens or 0) > 20
    assert (record.cost_usd or 0) > 0


def test_a_caller_who_never_read_is_metered_too(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(streaming(*HELLO))
    leave(ask_for_stream(developer))
    assert last_record().error_code == "client_closed"
