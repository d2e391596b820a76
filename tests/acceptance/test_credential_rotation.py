"""Credentials rotate under load: of several processes none refuses who is logged in."""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest

from tests.acceptance.server import ROOT, Server, running_server
from tests.acceptance.test_several_processes import PREPARE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
LOGIN = {"username": "ada", "password": "correct horse battery staple"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with pytest.MonkeyPatch.context() as patch:
        # Four callers refresh as fast as they can, which an address may not.
        patch.setenv("REQUESTS_PER_MINUTE_PER_TOKEN_ADDRESS", "0")
        with running_server(folder, workers=2, vendor=request.param, threads=16) as server:
            yield server


@pytest.fixture(scope="module")
def keys(server: Server) -> list[str]:
    return list(server.shell(PREPARE))


def rotate_keys(server: Server, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "manage.py", "rotate_keys", "--json", *words],
        cwd=ROOT, env=server.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


def log_in(server: Server) -> dict[str, Any]:
    answer = server.call("POST", "auth/token", "", LOGIN)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["data"])


def test_signing_keys_rotate_and_nobody_is_logged_out(server: Server, keys: list[str]) -> None:
    first = log_in(server)
    stop, answers = threading.Event(), Counter[int]()

    def call_on() -> None:
        pair = log_in(server)
        while not stop.is_set():
            answers[server.call("GET", "auth/me", pair["access"]).status_code] += 1
            again = server.call("POST", "auth/token/refresh", "", {"refresh": pair["refresh"]})
            answers[again.status_code] += 1
            pair = again.json()["data"]

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(call_on) for _ in range(4)]
        try:
            made = [
                rotate_keys(server, "--lead-s", "0", "--algorithm", algorithm)["made"]
                for algorithm in ("EdDSA", "HS256", "EdDSA")
            ]
        finally:
            stop.set()
        for each in running:
            each.result()
    assert set(answers) == {200}
    assert None not in made
    signed = [jwt.get_unverified_header(log_in(server)["access"])["kid"] for _ in range(8)]
    assert set(signed) == {made[-1]}, "every process signs with the newest"
    for _ in range(8):
        assert server.call("GET", "auth/me", first["access"]).status_code == 200


def test_after_a_leak_every_process_forgets(server: Server, keys: list[str]) -> None:
    pair = log_in(server)
    rotate_keys(server, "--forget-others")
    for _ in range(8):
        assert server.call("GET", "auth/me", pair["access"]).status_code == 401
        assert server.call("GET", "auth/me", keys[0]).status_code == 200, "API keys are others"
    assert server.call("GET", "auth/me", log_in(server)["access"]).status_code == 200


def test_of_twenty_rotations_of_one_key_one_succeeds(server: Server, keys: list[str]) -> None:
    issued = server.call("POST", "auth/api-keys", keys[0], {"name": "contested"}).json()["data"]
    path = f"auth/api-keys/{issued['id']}/rotate"
    together = threading.Barrier(20)

    def rotate() -> tuple[int, str]:
        together.wait()
        answer = server.call("POST", path, issued["key"], {"grace_s": 0})
        return answer.status_code, str((answer.json()["data"] or {}).get("key", ""))

    with ThreadPoolExecutor(20) as pool:
        got = [each.result() for each in [pool.submit(rotate) for _ in range(20)]]
    # Who comes late holds a text that counts no more (401); who comes at once loses (409).
    assert Counter(status for status, _ in got)[200] == 1
    assert {status for status, _ in got} <= {200, 401, 409}
    new = next(text for status, text in got if status == 200)
    assert server.call("GET", "auth/me", new).status_code == 200
    assert server.call("GET", "auth/me", issued["key"]).status_code == 401
    events = server.call(
        "GET", f"audit/events?action=apikey.rotate&object_id={issued['id']}", keys[0]
    )
    assert len(events.json()["data"]["results"]) == 1
