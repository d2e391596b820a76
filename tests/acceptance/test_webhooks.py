"""Webhooks with several worker processes, one of which is killed, over real sockets."""

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.acceptance.server import Server, delivering, running_server
from tests.acceptance.test_several_processes import PREPARE
from tests.integrations.http.scripted_server import Peer, ScriptedServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ENDPOINTS = "integration/webhook/endpoints"
DELIVERIES = "integration/webhook/deliveries"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(tmp_path_factory: pytest.TempPathFactory, request: Any) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, workers=2, vendor=request.param) as server:
        yield server


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return str(server.shell(PREPARE)[0])


class Receiver:
    """Notes what came, after so long, verified with the published library."""

    def __init__(self, hold_s: float = 0.0) -> None:
        self.hold_s = hold_s
        self.secret = ""
        self.came: list[int] = []
        self._lock = threading.Lock()
        self.server = ScriptedServer(self._script)

    def _script(self, peer: Peer) -> None:
        while request := peer.request():
            head, _, body = request.partition(b"\r\n\r\n")
            rows = (row.partition(": ") for row in head.decode().split("\r\n")[1:])
            fields = {name.lower(): value for name, _, value in rows}
            told = Webhook(self.secret).verify(body, fields)
            time.sleep(self.hold_s)
            with self._lock:
                self.came.append(told["data"]["n"])
            peer.answer(b"ok")


def until(true: Callable[[], bool], within_s: float = 90) -> None:
    ends = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < ends, "it has not come true"
        time.sleep(0.1)


def asked(server: Server, key: str, method: str, path: str, body: Any = None) -> Any:
    response = server.call(method, path, key, body)
    assert response.status_code < 300, response.text
    return json.loads(response.content)["data"]


def publish(server: Server, key: str, event_type: str, count: int) -> None:
    for n in range(count):
        event = {"event_type": event_type, "data": {"n": n}}
        assert asked(server, key, "POST", "integration/webhook", event)["deliveries"] == 1


def register(server: Server, key: str, receiver: Receiver, event_type: str, **fields: Any) -> str:
    url = receiver.server.url("/in")
    body = {"url": url, "event_types": [event_type], "timeout_s": 5, **fields}
    endpoint = asked(server, key, "POST", ENDPOINTS, body)
    receiver.secret = endpoint["secret"]
    return str(endpoint["id"])


def states(server: Server, key: str, endpoint_id: str) -> Counter[str]:
    path = f"{DELIVERIES}?endpoint_id={endpoint_id}&page_size=1000"
    return Counter(row["state"] for row in asked(server, key, "GET", path)["results"])


def test_a_worker_is_killed_and_nothing_is_lost(server: Server, key: str) -> None:
    """What was under way comes twice at most; everything comes."""
    receiver, count = Receiver(hold_s=0.05), 60
    with receiver.server, delivering(server, threads=4) as first, delivering(server, threads=4):
        endpoint_id = register(server, key, receiver, "killed.one")
        publish(server, key, "killed.one", count)
        until(lambda: len(receiver.came) >= count // 4)
        first.send_signal(signal.SIGKILL)
        until(lambda: states(server, key, endpoint_id) == {"succeeded": count})
    seen = Counter(receiver.came)
    assert set(seen) == set(range(count))
    assert sum(seen.values()) <= count + 4, "only what was under way in a thread came again"


def test_a_worker_that_is_told_to_end_finishes_what_it_began(server: Server, key: str) -> None:
    receiver, count = Receiver(hold_s=0.3), 12
    with receiver.server:
        endpoint_id = register(server, key, receiver, "ended.one")
        with delivering(server, threads=4) as process:
            publish(server, key, "ended.one", count)
            until(lambda: len(receiver.came) >= 1)
            process.terminate()
            assert process.wait(60) == 0
        found = states(server, key, endpoint_id)
        assert found["succeeded"] == len(receiver.came)
        with delivering(server, threads=4):
            until(lambda: states(server, key, endpoint_id) == {"succeeded": count})
    assert sorted(receiver.came) == list(range(count)), "each came once"


def test_order_holds_over_processes(server: Server, key: str) -> None:
    receiver, count = Receiver(), 30
    with (
        receiver.server,
        delivering(server, threads=4),
        delivering(server, threads=4),
    ):
        endpoint_id = register(server, key, receiver, "ordered.one", is_ordered=True)
        publish(server, key, "ordered.one", count)
        until(lambda: states(server, key, endpoint_id) == {"succeeded": count})
    assert receiver.came == list(range(count))
