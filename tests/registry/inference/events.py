"""Reading event streams as a client would."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.api_client import ApiClient

Event = tuple[str, Any]


def ask_for_stream(api: ApiClient, task: str = "generate", **body: Any) -> Any:
    """Ask for a stream that begins; its `streaming_content` is still to be read."""
    asked = {"model": "remote", "max_tokens": 50, "stream": True, **body}
    if task == "generate":
        asked.setdefault("prompt", "Hi")
    response: Any = api.call("POST", f"ai/{task}", asked)
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"] == "text/event-stream"
    return response


def events(frames: Iterable[bytes]) -> Iterator[Event]:
    """Give each event's name and JSON; comments are passed over."""
    for block in b"".join(frames).split(b"\n\n"):
        name, data = "message", None
        for line in block.split(b"\n"):
            if line.startswith(b"event: "):
                name = line[7:].decode()
            elif line.startswith(b"data: "):
                data = json.loads(line[6:])
        if data is not None:
            yield name, data


def read(response: Any) -> list[Event]:
    """Read a stream to its end; the test client lets go of it there."""
    return list(events(response.streaming_content))


def leave(response: Any) -> None:
    """Let go of a stream as a server does whose client went away.

    Not by `close()`, whose signal would close the test's database too.
    """
    close_stream, *_ = response._resource_closers
    close_stream()
