"""The audit log and policies with many processes at once: one chain, one editor."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acceptance.server import ROOT, Server, running_server
from tests.acceptance.test_several_processes import PREPARE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, workers=2, vendor=request.param) as server:
        yield server


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return str(server.shell(PREPARE)[0])


def start(server: Server, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**server.environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> None:
    said, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, said + complaints


def count(server: Server, model: str) -> int:
    return int(server.shell(f"from authz.models import {model} as M; print(M.objects.count())"))


def test_many_sealers_beside_many_writers_make_one_chain(
    server: Server, key: str, tmp_path: Path
) -> None:
    sealers = [start(server, "seal_audit_log", "--every", "0.05") for _ in range(3)]
    for sealer in sealers:
        assert sealer.stdout is not None
        assert "Sealed" in sealer.stdout.readline()
    body = {"model_type": "llm"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda number: (
                    server.call(
                        "POST", "registry/models", key, body | {"name": f"m{number}"}
                    ).status_code
                ),
                range(120),
            )
        )
    assert answers == [201] * 120
    file = tmp_path / "checkpoint.json"
    once = start(server, "seal_audit_log", "--checkpoint", str(file))
    for sealer in sealers:
        time.sleep(0.2)
        sealer.send_signal(signal.SIGTERM)
    for sealer in [once, *sealers]:
        end(sealer)
    end(start(server, "seal_audit_log"))
    assert count(server, "AuditSeal") == count(server, "AuditEvent") >= 120
    end(start(server, "verify_audit_log", "--checkpoint", str(file)))
    assert json.loads(file.read_text())["seq"] >= 120
    answer = server.call("GET", "audit/verify", key).json()["data"]
    assert answer["is_intact"]


def test_of_twenty_editors_one_makes_the_next_version(server: Server, key: str) -> None:
    made = server.call("POST", "policies", key, {"name": "pii", "rules": {}}).json()["data"]
    code = (
        "import json, threading; from authz.models import SecurityPolicy; "
        "from authz.policies.services import update_policy; from authz.audit.actor import SYSTEM\n"
        "from intmod_site.api.errors import PreconditionFailed\n"
        "def edit(number):\n"
        "    try:\n"
        "        update_policy(actor=SYSTEM, policy=SecurityPolicy.objects.get(),\n"
        "            changes={'rules': {'required_fields': [str(number)]}}, expected_version=1)\n"
        "        won.append(number)\n"
        "    except PreconditionFailed: lost.append(number)\n"
        "won, lost = [], []\n"
        "threads = [threading.Thread(target=edit, args=[number]) for number in range(10)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "print(json.dumps([len(won), len(lost)]))"
    )
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: server.shell(code), range(2)))
    assert sorted(sum(pair) for pair in zip(*both, strict=True)) == [1, 19]
    path = f"policies/{made['id']}/versions"
    assert len(server.call("GET", path, key).json()["data"]["results"]) == 2
