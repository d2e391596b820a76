"""What providers of OpenAI's protocol say, byte by byte, and the ways in which they break off."""

import json
from collections.abc import Callable
from typing import Any

from tests.integrations.http.scripted_server import Peer, Script

USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "upstream-model-2026",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}
    ],
    "usage": USAGE,
}
DONE = b"data: [DONE]\n\n"
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
CLOSING_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """Frame bytes for a chunked answer."""
    return b"%x\r\n%b\r\n" % (len(data), data)


END = chunk(b"")


def event(**said: Any) -> bytes:
    """Write one chat.completion.chunk."""
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "upstream-model-2026"}
    return b"data: " + json.dumps(base | {"choices": []} | said).encode() + b"\n\n"


def delta(content: str | None = None, *, finish: str | None = None, **more: Any) -> bytes:
    said = {} if content is None else {"content": content}
    return event(choices=[{"index": 0, "delta": said | more, "finish_reason": finish}])


ROLE = delta("", role="assistant")
STOP = delta(finish="stop")
COUNTED = event(usage=USAGE)
HELLO = (ROLE, delta("Hel"), delta("lo."), STOP, COUNTED, DONE)


def refused(status: str, message: str, code: str | None = None, headers: str = "") -> Script:
    """Answer every request with an error."""
    body = {"error": {"message": message, "type": "x", "param": None, "code": code}}

    def script(peer: Peer) -> None:
        while peer.request():
            peer.answer(json.dumps(body).encode(), status=status, headers=headers)

    return script


def streaming(*parts: bytes) -> Script:
    """Answer every request with a stream of these parts, ended as it should be."""

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(STREAM_HEAD + b"".join(map(chunk, parts)) + END)

    return script


def completing(body: Any = None) -> Script:
    """Answer every request at once."""

    def script(peer: Peer) -> None:
        while peer.request():
            peer.answer(json.dumps(body or COMPLETION).encode())

    return script


def in_turn(*scripts: Script) -> Script:
    """Serve one connection by each script in turn, every further one by the last."""
    left = list(scripts)

    def script(peer: Peer) -> None:
        mine = left.pop(0) if len(left) > 1 else left[0]
        mine(peer)

    return script


def after_request(act: Callable[[Peer], None]) -> Script:
    """Read one request, then do something."""

    def script(peer: Peer) -> None:
        if peer.request():
            act(peer)

    return script


def reset_at_once(peer: Peer) -> None:
    peer.reset()


def silence(peer: Peer) -> None:
    peer.hang()


def stream_then(*parts: bytes, then: Callable[[Peer], None]) -> Script:
    """Begin a chunked stream, then do something else than end it."""

    def act(peer: Peer) -> None:
        peer.send(STREAM_HEAD + b"".join(map(chunk, parts)))
        then(peer)

    return after_request(act)


def hang_up(peer: Peer) -> None:
    peer.sock.close()
