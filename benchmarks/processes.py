"""Programs that run beside the measurement: each pinned to a core, ready before it is used."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks import machine

SOURCES = Path(__file__).parent
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 20


@dataclass(frozen=True)
class Running:
    """A server that answers.

    Args:
        pid: The process that was started; its workers are below it.
        port: Where it listens, on 127.0.0.1.
        start_s: Seconds from its start to its first good answer.
    """

    pid: int
    port: int
    start_s: float

    @property
    def pids(self) -> list[int]:
        """Its processes."""
        return machine.processes_of(self.pid)


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: list[str],
    *,
    port: int,
    ready_path: str,
    core: int,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Run a server on one core while the block runs.

    Args:
        command: Its command line.
        port: Where it will listen.
        ready_path: Answers with 200 once it is ready.
        core: Where it and everything it starts runs.
        log: Takes its output.
        environment: Added to ours.

    Raises:
        RuntimeError: It ended, or was not ready in time.
    """
    began = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        while not _answers(port, ready_path):
            if process.poll() is not None or time.monotonic() - began > START_TIMEOUT_S:
                raise RuntimeError(f"{command[0]} did not start; see {log}")
            time.sleep(0.01)
        yield Running(process.pid, port, round(time.monotonic() - began, 2))
    finally:
        _stop(process)


def upstream(folder: Path, *, latency_ms: int = 0, chunks: int = 20) -> Any:
    """Run the fake provider on the load's core while the block runs."""
    port = free_port()
    return running(
        [_compiled("fake_upstream"), str(port), str(latency_ms), str(chunks)],
        port=port,
        ready_path="/v1/models",
        core=machine.LOAD_CORE,
        log=folder / "upstream.log",
    )


def start_load(
    port: int,
    path: str,
    *,
    callers: int,
    credential: str,
    seconds: float = 3600,
    calls: int = 0,
    body: Any = None,
    mark: str = "",
    first: int = 0,
    wrap: int = 0,
) -> "subprocess.Popen[str]":
    """Begin to call; `loaded` waits for the end.

    Args:
        port, path: What is called; with GET if there is no body.
        callers: How many call at once, each in a closed loop.
        credential: Bearer token.
        seconds, calls: When it ends, whichever comes first; 0 calls are no limit.
        body: JSON of each request.
        mark: What a good answer contains.
        first, wrap: The numbers that @@@@@@@@ in path and body becomes; see `load.c`.
    """
    command = ["taskset", "-c", str(machine.LOAD_CORE), _compiled("load")]
    command += ["-p", str(port), "-u", path, "-c", str(callers), "-t", str(seconds)]
    command += ["-n", str(calls), "-a", f"Bearer {credential}", "-m", mark]
    command += ["-s", str(first), "-w", str(wrap)]
    if body is not None:
        text = json.dumps(body, separators=(",", ":"))
        # "=0.@@@@@@@@" is a number whose digits are filled in.
        command += ["-b", re.sub(r'"=([0-9.@]+)"', r"\1", text)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def loaded(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Give what the callers saw."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError("The load could not be made.")
    return dict(json.loads(output))


@cache
def _compiled(name: str) -> str:
    """Compile one of our C programs; they are small and always compiled anew."""
    target = Path(tempfile.mkdtemp(prefix="intmod-benchmark-")) / name
    source = SOURCES / f"{name}.c"
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", target, source], check=True)
    return str(target)


def _answers(port: int, path: str) -> bool:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as connection:
            connection.settimeout(5)
            connection.sendall(request.encode())
            return connection.recv(12) == b"HTTP/1.1 200" or path == "/v1/models"
    except OSError:
        return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Its workers are processes of their own.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
