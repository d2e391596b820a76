"""Answers at once, from providers on raw sockets that misbehave in every way."""

import gzip
import json
import time
from email.utils import format_datetime

import pytest
from django.utils import timezone

from registry.models import InferenceRecord
from tests.api_client import ApiClient
from tests.integrations.http.scripted_server import Peer, Script
from tests.registry.inference import conftest
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.events import ask_for_stream, read
from tests.registry.inference.raw_upstream import (
    COMPLETION,
    ROLE,
    after_request,
    completing,
    delta,
    hang_up,
    in_turn,
    refused,
    reset_at_once,
    silence,
    streaming,
)

BODY = {"model": "remote", "prompt": "Hi", "max_tokens": 20}
WHOLE = json.dumps(COMPLETION).encode()


def limited(retry_after: str) -> Script:
    def act(peer: Peer) -> None:
        # Said, since a try on a connection that is just being closed would count as well.
        headers = f"Connection: close\r\nRetry-After: {retry_after}"
        peer.answer(b"{}", status="429 Too Many", headers=headers)

    return after_request(act)


def oops(peer: Peer) -> None:
    peer.answer(b"{}", status="500 Oops", headers="Connection: close")


def cut(peer: Peer) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(WHOLE)}\r\n\r\n".encode()
    peer.send(head + WHOLE[:40])
    hang_up(peer)


def nonsense(peer: Peer) -> None:
    peer.answer(b"<html>busy</html>")


def trickle(peer: Peer) -> None:
    peer.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(WHOLE)}\r\n\r\n".encode())
    peer.trickle(WHOLE, 0.02)


def packed(peer: Peer) -> None:
    peer.answer(gzip.compress(WHOLE), headers="Content-Encoding: gzip")


def endless(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    block = b"%x\r\n%b\r\n" % (1 << 20, b" " * (1 << 20))
    while not peer.server.over.is_set():
        peer.send(block)


SILENT = after_request(silence)


def soon() -> str:
    return format_datetime(timezone.now(), usegmt=True)


@pytest.mark.parametrize(
    "first",
    [limited("0"), limited(soon()), limited("soon"), after_request(oops),
     after_request(reset_at_once), after_request(cut), SILENT],
    ids=["429", "429-date", "429-garbage", "500", "reset", "cut", "silence"],
)  # fmt: skip
def test_what_passes_is_tried_again_within_the_deadline(
    serve_model: ServeModel, developer: ApiClient, first: Script
) -> None:
    patience_s = 2 if first is SILENT else 30
    server = serve_model(
        in_turn(first, completing()), max_retries=2, first_byte_timeout_s=patience_s
    )
    assert developer.ok("POST", "ai/generate", BODY)["result"] == "Hello."
    assert len(server.requests) == 2
    record = InferenceRecord.objects.get()
    assert (record.tries, record.input_tokens) == (2, 9)


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        (refused("429 Too Many", "slow", headers="Retry-After: 7"), 429, "upstream_rate_limited"),
        (refused("400 Bad", "too long", "context_length_exceeded"), 400, "context_length_exceeded"),
        (refused("400 Bad", "filtered", "content_filter"), 400, "content_filter"),
        (refused("401 No", "who"), 502, "upstream_auth_failed"),
        (refused("402 Pay", "no credit"), 502, "upstream_quota_exhausted"),
        (refused("403 No", "no"), 502, "upstream_auth_failed"),
        (refused("404 None", "no such model"), 502, "upstream_model_not_found"),
        (refused("408 Late", "late"), 504, "upstream_request_timeout"),
        (refused("409 Odds", "twice"), 502, "upstream_conflict"),
        (refused("413 Large", "large"), 400, "upstream_request_too_large"),
        (refused("422 Odd", "odd"), 400, "upstream_unprocessable"),
        (refused("500 Oops", "oops"), 502, "upstream_server_error"),
        (refused("503 Busy", "busy"), 502, "upstream_overloaded"),
        (refused("529 Busy", "busy"), 502, "upstream_overloaded"),
        (after_request(reset_at_once), 502, "upstream_reset"),
        (after_request(cut), 502, "upstream_reset"),
        (SILENT, 504, "upstream_first_byte_timeout"),
        (after_request(nonsense), 502, "upstream_malformed"),
        (after_request(trickle), 504, "upstream_total_timeout"),
        (after_request(endless), 502, "upstream_malformed"),
    ],
)
def test_what_does_not_pass_is_told_as_what_it_is(
    serve_model: ServeModel, developer: ApiClient, script: Script, status: int, code: str
) -> None:
    serve_model(
        script,
        first_byte_timeout_s=0.5 if script is SILENT else 25,
        timeout_s=1.5 if code == "upstream_total_timeout" else 30,
    )
    envelope = developer.refused(status, "POST", "ai/generate", BODY)
    assert envelope["error_details"]["code"] == code
    assert envelope["error_details"]["retry_after_s"] == (7 if status == 429 else None)
    record = InferenceRecord.objects.get()
    assert (record.status, record.error_code, record.cost_usd) == (status, code, 0)


@pytest.mark.parametrize("streams", [False, True])
def test_a_refusal_that_quotes_our_key_is_told_without_it(
    serve_model: ServeModel,
    developer: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    streams: bool,
) -> None:
    # One that no pattern would take for a key.
    monkeypatch.setattr(conftest, "UPSTREAM_KEY", "horse/battery")
    serve_model(refused("400 Bad", "no horse/battery here"))
    envelope = developer.refused(400, "POST", "ai/generate", {**BODY, "stream": streams})
    assert envelope["error"].endswith("no [key] here")


QUOTING = {"error": {"message": 'no horse/"battery" here', "type": "server_error", "code": 500}}


@pytest.mark.parametrize("before", [(), (ROLE, delta("Hel"))], ids=["at once", "in the middle"])
def test_an_error_within_a_stream_that_quotes_our_key_is_told_without_it(
    serve_model: ServeModel,
    developer: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    before: tuple[bytes, ...],
) -> None:
    monkeypatch.setattr(conftest, "UPSTREAM_KEY", 'horse/"battery"')
    serve_model(streaming(*before, b"data: " + json.dumps(QUOTING).encode() + b"\n\n"))
    if before:
        envelope = read(ask_for_stream(developer))[-1][1]
    else:
        envelope = developer.refused(502, "POST", "ai/generate", {**BODY, "stream": True})
    assert envelope["error"].endswith("no [key] here")


def test_an_error_with_status_200_that_quotes_our_key_is_told_without_it(
    serve_model: ServeModel, developer: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conftest, "UPSTREAM_KEY", 'horse/"battery"')
    serve_model(completing(QUOTING))
    envelope = developer.refused(502, "POST", "ai/generate", BODY)
    assert envelope["error"].endswith("no [key] here")


def test_a_text_may_say_what_our_key_says(
    serve_model: ServeModel, developer: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys of one's own servers are words such as `ollama`."""
    monkeypatch.setattr(conftest, "UPSTREAM_KEY", "Hello.")
    serve_model(completing(COMPLETION))
    assert developer.ok("POST", "ai/generate", BODY)["result"] == "Hello."


def test_one_deadline_holds_over_all_tries(serve_model: ServeModel, developer: ApiClient) -> None:
    spare = serve_model(after_request(silence), "spare")
    serve_model(
        after_request(silence),
        timeout_s=1.0,
        first_byte_timeout_s=0.4,
        max_retries=10,
        fallbacks=[{"model": "spare"}],
    )
    began = time.monotonic()
    developer.refused(504, "POST", "ai/generate", BODY)
    assert time.monotonic() - began < 8, "22 tries of 0.4 s each without it"
    assert len(spare.requests) <= 1


def test_a_packed_answer_is_read(serve_model: ServeModel, developer: ApiClient) -> None:
    serve_model(after_request(packed))
    assert developer.ok("POST", "ai/generate", BODY)["result"] == "Hello."


def test_an_upstream_that_counts_nothing_leaves_the_cost_unknown(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(completing({**COMPLETION, "usage": None}))
    answer = developer.ok("POST", "ai/generate", BODY)
    assert answer["usage"] == {"input_tokens": None, "output_tokens": None}
    assert answer["cost_usd"] is None
    assert InferenceRecord.objects.get().input_tokens is None
