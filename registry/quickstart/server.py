"""The server and the worker that quickstart runs beside itself."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from django.conf import settings
from django.db import connections

from intmod_site.server import server_command, server_environment

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
THREADS = 16


class ServerFailed(Exception):
    """The server did not come up; the message says where its log is."""


@contextmanager
def running_server(*, host: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve while the block runs, and stop the server afterwards.

    Raises:
        ServerFailed: It ended, or was not ready in time.
    """
    # The server opens its own connections; ours would only hold the database's files open.
    connections.close_all()
    log_path = Path(settings.DATA_DIR) / "server.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 -- our own command line
            server_command(host=host, port=port, workers=1, threads=THREADS),
            env=server_environment(threads=THREADS),
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_ready(process, f"http://{host}:{port}/readyz", log_path)
        yield process
    finally:
        _stop(process)


@contextmanager
def running_worker() -> Iterator[subprocess.Popen[bytes]]:
    """Run jobs, periodic jobs and webhooks while the block runs; begun, not waited for."""
    with worker_log().open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 -- our own command line
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker",
             "--concurrency", "4", "--webhook-threads", "4"],
            stdout=log,
            stderr=log,
        )  # fmt: skip
    try:
        yield process
    finally:
        _stop(process)


def worker_log() -> Path:
    """Say where the worker writes."""
    return Path(settings.DATA_DIR) / "worker.log"


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log_path: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise ServerFailed(f"The server ended by itself; its log is {log_path}.")
            try:
                if session.get(url, timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.1)
    raise ServerFailed(
        f"The server was not ready within {START_TIMEOUT_S} s; its log is {log_path}."
    )
