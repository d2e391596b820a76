"""Hundreds of slow calls in flight on one worker, and what everybody else notices of them."""

import argparse
import os
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.processes import loaded, start_load, upstream
from benchmarks.servers import COMPLETION, Gateway, intmod

LATENCY_MS = 100
IN_FLIGHT = 256
BEYOND = 400
THREADS = 288
"""Of which 32 are kept back from calls of models."""

OTHER_PATH = "/api/v1/auth/me"


def run(arguments: argparse.Namespace, folder: Path) -> str:
    """Measure on PostgreSQL, whose pool gives a process 20 connections; see README.md."""
    from tests import postgres

    lines = []
    os.sched_setaffinity(0, {machine.LOAD_CORE})  # the database's too, which it inherits
    url = postgres.start()
    with (
        upstream(folder, latency_ms=LATENCY_MS) as provider,
        intmod(folder, upstream_port=provider.port, database_url=url, threads=THREADS) as gateway,
    ):
        _load(gateway, IN_FLIGHT, 2)
        for callers in (0, IN_FLIGHT, BEYOND):
            lines += [
                _line(callers, *_load(gateway, callers, arguments.seconds))
                for _ in range(arguments.rounds)
            ]
    return "\n".join([_HEAD, *lines])


_HEAD = (
    "| callers | calls/s | p50 ms | p99 ms | 503 | failed "
    "| other route: p50 ms | p99 ms | max ms | failed | CPU µs per call | loop ms |\n"
    + "|---" * 12
    + "|"
)


def _load(
    gateway: Gateway, callers: int, seconds: float
) -> tuple[dict[str, Any], dict[str, Any], float]:
    """Call the model from so many, and another route from one caller meanwhile."""
    server = gateway.server
    before = machine.cpu_s(server.pids)
    calls = callers and start_load(
        server.port, COMPLETION.path, callers=callers, seconds=seconds + 0.5,
        credential=gateway.credential, body=COMPLETION.body, mark=COMPLETION.mark,
    )  # fmt: skip
    other = start_load(
        server.port, OTHER_PATH, callers=1, seconds=seconds,
        credential=gateway.credential, mark='"success":true',
    )  # fmt: skip
    seen = loaded(other)
    called = loaded(calls) if calls else dict.fromkeys(seen, 0)
    used_s = machine.cpu_s(server.pids) - before
    return called, seen, used_s / max(called["calls"] + called["unavailable"], 1) * 1e6


def _line(callers: int, called: dict[str, Any], other: dict[str, Any], cpu_us: float) -> str:
    cells = [callers, called["calls_per_s"], called["p50_ms"], called["p99_ms"]]
    cells += [called["unavailable"], called["failed"]]
    cells += [other["p50_ms"], other["p99_ms"], other["max_ms"], other["failed"]]
    cells += [round(cpu_us) if callers else 0, machine.loop_ms()]
    return "| " + " | ".join(map(str, cells)) + " |"
