"""A real server of several processes, with a database of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import requests

from tests import postgres
from tests.schema_check import BASE, check_answer

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 60


@dataclass
class Server:
    """A running server; `shell` runs code in another process of the same installation."""

    base_url: str
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def shell(self, code: str) -> Any:
        """Run code that prints one JSON value last, and give the value."""
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", code],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])

    def call(self, method: str, path: str, credential: str, body: Any = None) -> requests.Response:
        """Ask the API, and hold the answer against the schema."""
        response = requests.request(
            method,
            f"{self.base_url}{BASE}{path}",
            json=body,
            headers={"Authorization": f"Bearer {credential}"} if credential else {},
            timeout=30,
        )
        check_answer(method, BASE + path.partition("?")[0], response)
        return response

    def stop(self) -> int:
        """End the server as a service manager would, and give its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=30)


@cache
def _postgresql() -> str:
    return postgres.start()


def database_url(vendor: str) -> str:
    """Give the URL of a new database; none is SQLite's own in the data folder."""
    if vendor == "sqlite":
        return ""
    name = f"acceptance_{uuid4().hex[:8]}"
    with psycopg.connect(
        _postgresql().replace("postgres://", "postgresql://"), autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return _postgresql().replace("/postgres?", f"/{name}?")


@contextmanager
def running_server(
    folder: Path, *, workers: int, vendor: str, threads: int = 8
) -> Iterator[Server]:
    """Migrate, serve, and stop at the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "intmod_site.settings",
        "INTMOD_DATA_DIR": str(folder),
        "INTMOD_EXTENSIONS": "",
        "FLUSHER_QUEUE_ROWS": "1000",
        "DATABASE_URL": database_url(vendor),
    }
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*manage, "serve", "--port", str(port), "--workers", str(workers),
             "--threads", str(threads)],
            cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    server = Server(f"http://127.0.0.1:{port}", process, environment)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        # Its workers are processes of their own, which outlive a killed server.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def delivering(server: Server, *, threads: int) -> Iterator["subprocess.Popen[str]"]:
    """Run a worker that delivers webhooks, from when signals end it as they should; kill it."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "deliver_webhooks", "--threads", str(threads)],
        cwd=ROOT, env=server.environment, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Delivering webhooks")
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert server.process.poll() is None, "the server ended by itself"
        try:
            if requests.get(f"{server.base_url}/readyz", timeout=2).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise TimeoutError("the server was not ready in time")
