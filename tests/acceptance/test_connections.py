"""What holds of calls of external systems with several web processes, over real sockets."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.acceptance.server import Server, running_server
from tests.acceptance.test_several_processes import PREPARE
from tests.integrations.http.scripted_server import Peer, ScriptedServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WORKERS = 8
GET = {"method": "GET", "endpoint": "/"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(tmp_path_factory: pytest.TempPathFactory, request: Any) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, workers=WORKERS, vendor=request.param) as server:
        yield server


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return str(server.shell(PREPARE)[0])


class System:
    """An external system that answers as it is told."""

    def __init__(self) -> None:
        self.status = "200 OK"
        self.hold_s = 0.0
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self.server = ScriptedServer(self._script)

    def _script(self, peer: Peer) -> None:
        while peer.request():
            with self._lock:
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
            if self.hold_s:
                time.sleep(self.hold_s)
            with self._lock:
                self.at_once -= 1
            peer.answer(b"{}", status=self.status)


@pytest.fixture
def system() -> Iterator[System]:
    made = System()
    with made.server:
        yield made


def register(server: Server, key: str, name: str, system: System, **fields: Any) -> None:
    body = {"name": name, "base_url": system.server.url(""), "max_retries": 0, **fields}
    response = server.call("POST", "integration/external", key, body)
    assert response.status_code == 201, response.text


def ask(server: Server, key: str, name: str, times: int, threads: int = 16) -> list[Any]:
    with ThreadPoolExecutor(threads) as pool:
        path = f"integration/external/{name}/request"
        asked = [pool.submit(server.call, "POST", path, key, GET) for _ in range(times)]
        return [answer.result() for answer in asked]


def test_the_status_counts_what_all_processes_did(server: Server, key: str, system: System) -> None:
    register(server, key, "counted", system)
    good = ask(server, key, "counted", 90)
    system.status = "404 Not Found"
    bad = ask(server, key, "counted", 30)
    assert {answer.status_code for answer in [*good, *bad]} == {200}
    deadline = time.monotonic() + 5
    while True:
        found = server.call("GET", "integration/status/counted", key).json()["data"]
        if found["request_count"] >= 120 or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert (found["request_count"], found["error_count"], found["error_rate"]) == (120, 30, 0.25)
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["p95"]
    seen = set()
    for window in ("5m", "1h", "24h"):
        for _ in range(WORKERS):
            answer = server.call("GET", f"integration/status/counted?window={window}", key)
            seen.add(tuple(answer.json()["data"].items())[2:5])
    assert len(seen) == 1, "every process says the same of each window"


def test_one_probe_of_all_processes(server: Server, key: str, system: System) -> None:
    register(server, key, "failing", system)
    system.status = "500 Internal Server Error"
    ask(server, key, "failing", 40)
    opened = [answer for answer in ask(server, key, "failing", 8) if answer.status_code == 503]
    assert len(opened) == 8, "open in every process"
    server.shell(
        "from integrations.models import BreakerState as B; from django.db.models import F; "
        "print(B.objects.update(opened_us=F('opened_us') - 60_000_000))"
    )
    before = len(system.server.requests)
    system.status, system.hold_s = "200 OK", 1.0
    got = ask(server, key, "failing", 32, threads=32)
    probes = [answer for answer in got if answer.status_code == 200]
    codes = [answer.json()["error_details"]["code"] for answer in got if answer.status_code == 503]
    assert len(system.server.requests) - before == len(probes) == 1
    assert codes == ["circuit_open"] * 31
    system.hold_s = 0.0
    assert {answer.status_code for answer in ask(server, key, "failing", 8)} == {200}
    events = server.call("GET", "audit/events?action=integration.breaker_opened", key)
    assert len(events.json()["data"]["results"]) == 1


def test_places_are_those_of_all_processes(server: Server, key: str, system: System) -> None:
    system.hold_s = 0.5
    register(server, key, "narrow", system, parallel_calls=3)
    got = ask(server, key, "narrow", 24, threads=24)
    assert system.most_at_once <= 3
    assert {answer.status_code for answer in got} == {200, 429}


def test_the_rate_is_that_of_all_processes(server: Server, key: str, system: System) -> None:
    register(server, key, "slow", system, requests_per_minute=10)
    got = [answer.status_code for answer in ask(server, key, "slow", 40)]
    # While they ran the rate gave some back: one every six seconds.
    assert 10 <= got.count(200) <= 12
    assert got.count(200) + got.count(429) == 40
    assert len(system.server.requests) == got.count(200)
