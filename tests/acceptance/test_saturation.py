"""More calls than a process can answer, and a process that ends while it answers some."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.acceptance.server import Server, running_server
from tests.integrations.http.scripted_server import Peer, ScriptedServer
from tests.registry.inference.raw_upstream import (
    COMPLETION,
    DONE,
    END,
    ROLE,
    STOP,
    STREAM_HEAD,
    chunk,
    delta,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PREPARE = """
import json
from authz.audit.actor import SYSTEM
from authz.identity.keys import create_api_key
from authz.identity.members import create_project, create_user
from authz.identity.memberships import set_membership
from authz.identity.roles import role_named
from integrations.connections.services import register_integration
from registry.catalog.versions import register_model
project = create_project(actor=SYSTEM, slug="shop", name="Shop")
user = create_user(actor=SYSTEM, username="ada", password="correct horse battery staple")
set_membership(actor=SYSTEM, user=user, project=project, role=role_named("developer"))
integration = register_integration(
    actor=SYSTEM, project=project, name="up", base_url="{url}", max_retries=0
)
register_model(
    actor=SYSTEM, project=project, model_name="chat", model_type="llm", provider="openai",
    provider_model="chat", integration=integration, tasks=["chat"],
)
print(json.dumps(create_api_key(actor=SYSTEM, user=user, project=project, name="a")[1]))
"""
RECORDED = """
import json
from registry.models import InferenceRecord
print(json.dumps(list(InferenceRecord.objects.values_list("status", "is_estimated"))))
"""
AT_ONCE = 6
"""The tests' servers have eight threads, and keep two back."""


@dataclass
class World:
    """A server with one worker, before a provider that answers when it may."""

    server: Server
    key: str
    provider: ScriptedServer
    may_answer: threading.Event
    hung_up: list[float]

    def call(self, *, stream: bool, say: str = "Hi") -> requests.Response:
        body = {"model": "chat", "messages": [{"role": "user", "content": say}], "stream": stream}
        return requests.post(
            f"{self.server.base_url}/v1/chat/completions",
            json=body,
            headers={"Authorization": f"Bearer {self.key}"},
            stream=stream,
            timeout=30,
        )

    def wait_until_asked(self, times: int) -> None:
        until(lambda: len(self.provider.requests) >= times)


def until(happened: Callable[[], bool]) -> None:
    deadline = monotonic() + 30
    while not happened():
        assert monotonic() < deadline
        sleep(0.02)


@contextmanager
def world(folder: Path, vendor: str) -> Iterator[World]:
    may_answer = threading.Event()
    hung_up: list[float] = []

    def script(peer: Peer) -> None:
        while request := peer.request():
            if b"silence" in request:
                hung_up.append(peer.wait_for_hangup(60))
                return
            if json.loads(request.partition(b"\r\n\r\n")[2]).get("stream"):
                peer.send(STREAM_HEAD + chunk(ROLE + delta("Hel")))
                may_answer.wait(30)
                peer.send(chunk(delta("lo.") + STOP + DONE) + END)
            else:
                may_answer.wait(30)
                peer.answer(json.dumps(COMPLETION).encode())

    with (
        ScriptedServer(script) as provider,
        running_server(folder, workers=1, vendor=vendor) as server,
    ):
        key = server.shell(PREPARE.format(url=provider.url("/v1")))
        yield World(server, key, provider, may_answer, hung_up)


def ask_all(world: World, callers: ThreadPoolExecutor) -> list[Future[requests.Response]]:
    """Begin as many calls as there are places, half of them streams, and wait until all run."""
    asked = [callers.submit(world.call, stream=number % 2 == 0) for number in range(AT_ONCE)]
    world.wait_until_asked(AT_ONCE)
    return asked


def check_all_are_whole(asked: list[Future[requests.Response]]) -> None:
    for answer in [each.result() for each in asked]:
        assert answer.status_code == 200
        if answer.headers["Content-Type"] == "text/event-stream":
            assert answer.text.endswith("data: [DONE]\n\n")
        else:
            assert answer.json()["usage"]["total_tokens"] == 13


@pytest.fixture(params=["sqlite", "postgresql"])
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_calls_beyond_the_places_are_refused_and_everything_else_is_answered(
    tmp_path: Path, vendor: str
) -> None:
    with world(tmp_path, vendor) as it, ThreadPoolExecutor(AT_ONCE) as callers:
        asked = ask_all(it, callers)
        for stream in (False, True):
            refused = it.call(stream=stream)
            assert refused.status_code == 503
            assert refused.headers["Retry-After"] == "1"
            assert refused.json()["error"]["code"] == "overloaded"
        in_envelope = it.server.call("POST", "ai/chat", it.key, {})
        assert in_envelope.status_code == 503
        assert in_envelope.json()["error_details"]["retry_after_s"] == 1
        for _ in range(20):
            assert it.server.call("GET", "auth/me", it.key).status_code == 200
        assert it.provider.accepted == AT_ONCE
        it.may_answer.set()
        check_all_are_whole(asked)
        assert it.call(stream=True).text.endswith("data: [DONE]\n\n")
        assert it.call(stream=False).status_code == 200


def test_a_call_that_finds_no_place_waits_a_moment_for_one(tmp_path: Path) -> None:
    with world(tmp_path, "sqlite") as it, ThreadPoolExecutor(AT_ONCE + 2) as callers:
        asked = ask_all(it, callers)
        late = [callers.submit(it.call, stream=False) for _ in range(2)]
        sleep(0.1)
        it.may_answer.set()
        check_all_are_whole([*asked, *late])


def test_a_caller_who_leaves_a_stream_leaves_its_place(tmp_path: Path, vendor: str) -> None:
    with world(tmp_path, vendor) as it:
        streams = [it.call(stream=True) for _ in range(AT_ONCE)]
        assert [stream.status_code for stream in streams] == [200] * AT_ONCE
        assert it.call(stream=True).status_code == 503
        for stream in streams:
            stream.close()
        it.may_answer.set()
        until(lambda: it.call(stream=False).status_code == 200)


def test_a_caller_who_leaves_before_the_first_piece_stops_the_provider(
    tmp_path: Path, vendor: str
) -> None:
    with world(tmp_path, vendor) as it:
        stream = it.call(stream=True, say="silence")
        # Nobody has said anything: what came is a comment, so that we notice who leaves.
        assert stream.status_code == 200
        assert next(stream.iter_content(1)) == b":"
        assert it.hung_up == []
        stream.close()
        until(lambda: bool(it.hung_up))
        until(lambda: it.server.shell(RECORDED) == [[499, True]])


def test_a_server_that_is_told_to_end_answers_its_calls_and_writes_them_down(
    tmp_path: Path, vendor: str
) -> None:
    with world(tmp_path, vendor) as it, ThreadPoolExecutor(AT_ONCE) as callers:
        asked = ask_all(it, callers)
        it.server.process.terminate()
        sleep(0.5)
        it.may_answer.set()
        check_all_are_whole(asked)
        assert it.server.process.wait(timeout=30) == 0
        rows: Any = it.server.shell(
            "import json; from registry.models import InferenceRecord as R; "
            "print(json.dumps(sorted(R.objects.values_list('status', 'is_stream'))))"
        )
        assert rows == [[200, False]] * (AT_ONCE // 2) + [[200, True]] * (AT_ONCE // 2)


def test_bodies_that_come_slowly_keep_no_connection_from_others(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=1, vendor="postgresql", threads=40) as server:
        key = server.shell(PREPARE.format(url="http://127.0.0.1:9/v1"))
        address = urlsplit(server.base_url)
        head = (
            "POST PATH HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {key}\r\nContent-Length: 1000\r\n\r\n{{"
        )
        with ExitStack() as stack:
            # More than there are connections in the pool, fewer than there are threads.
            for path in ("/v1/chat/completions", "/api/v1/ai/generate") * 15:
                caller = socket.create_connection((address.hostname, address.port))
                stack.enter_context(caller).sendall(head.replace("PATH", path).encode())
            for _ in range(25):
                assert server.call("GET", "auth/me", key).status_code == 200
                sleep(0.2)
