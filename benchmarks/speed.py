"""Calls per second, latency and processor time, in alternating rounds of all servers."""

import argparse
import json
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.processes import Running, loaded, start_load, upstream
from benchmarks.servers import SURFACES, Gateway, Surface, intmod, litellm

THREADS = 80
"""Enough for 64 callers beside the threads that are kept back from calls of models."""

Rows = list[dict[str, Any]]


def measure(gateway: Gateway, surface: Surface, callers: int, seconds: float) -> dict[str, Any]:
    """Load a server once, and say what its callers saw and what it used."""
    server = gateway.server
    load = start_load(
        server.port, surface.path, callers=callers, seconds=seconds,
        credential=gateway.credential, body=surface.body, mark=surface.mark,
    )  # fmt: skip
    before = machine.cpu_s(server.pids)
    seen = loaded(load)
    used_s = machine.cpu_s(server.pids) - before
    machine.wait_until_idle(server.pids)
    answered = max(seen["calls"], 1)
    return seen | {
        "cpu_us": round(used_s / answered * 1e6, 1),
        "calls_per_core_s": round(answered / used_s, 1) if used_s else 0.0,
        "core_share": round(used_s / seen["seconds"], 2),
        "loop_ms": machine.loop_ms(),
    }


def compare(arguments: argparse.Namespace, folder: Path) -> Rows:
    """Give one row for each round, kind of call, number of callers and server."""
    rows: Rows = []
    with ExitStack() as stack:
        provider: Running = stack.enter_context(upstream(folder))
        direct = Gateway("upstream alone", provider, "", SURFACES)
        gateways = [
            stack.enter_context(intmod(folder, upstream_port=provider.port, threads=THREADS))
        ]
        if arguments.litellm:
            peer = litellm(folder, upstream_port=provider.port, venv=arguments.litellm)
            gateways.append(stack.enter_context(peer))
        for gateway in gateways:
            for surface in gateway.surfaces.values():
                measure(gateway, surface, 8, arguments.seconds)
        for number in range(arguments.rounds):
            # Whoever came second comes first in the next round.
            order = gateways[:: -1 if number % 2 else 1]
            for kind in arguments.kinds:
                for callers in arguments.callers:
                    for gateway in [direct, *order]:
                        row = {"round": number, "kind": kind, "callers": callers}
                        row |= {"server": gateway.name}
                        surface = gateway.surfaces[kind]
                        row |= measure(gateway, surface, callers, arguments.seconds)
                        rows.append(row)
                        print(json.dumps(row), flush=True)
    return rows


COLUMNS = {
    "calls_per_s": "req/s",
    "calls_per_core_s": "req per core-second",
    "cpu_us": "CPU µs",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "first_p50_ms": "first byte ms",
}


def table(rows: Rows) -> str:
    """Give the medians over the rounds as a Markdown table."""
    lines = [
        "| " + " | ".join(["call", "callers", "server", *COLUMNS.values(), "failed"]) + " |",
        "|---" * (len(COLUMNS) + 4) + "|",
    ]
    for kind, callers, server in dict.fromkeys(
        (row["kind"], row["callers"], row["server"]) for row in rows
    ):
        of = _of(rows, kind, callers, server)
        cells = [kind, str(callers), server]
        for name in COLUMNS:
            value = median(row[name] for row in of)
            cells.append(f"{value:,.0f}" if value >= 100 else f"{value:.2f}")
        cells.append(str(sum(row["failed"] + row["unavailable"] for row in of)))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ratios(rows: Rows) -> str:
    """Give ours against LiteLLM's, each number from the pair of one round."""
    lines = []
    for kind, callers in dict.fromkeys((row["kind"], row["callers"]) for row in rows):
        ours = _of(rows, kind, callers, "intmod")
        theirs = _of(rows, kind, callers, "litellm")
        alone = _of(rows, kind, callers, "upstream alone")
        for name in ("calls_per_core_s", "calls_per_s") if ours and theirs else ():
            pairs = [a[name] / b[name] for a, b in zip(ours, theirs, strict=True)]
            lines.append(
                f"- {kind}, {callers} callers, {COLUMNS[name]}: {median(pairs):.1f} times "
                f"({min(pairs):.1f} to {max(pairs):.1f} in {len(pairs)} rounds)"
            )
        for of in (ours, theirs) if callers == 1 else ():
            added = [a["p50_ms"] - b["p50_ms"] for a, b in zip(of, alone, strict=False)]
            if added:
                server = of[0]["server"]
                lines.append(f"- {kind}, 1 caller, p50 added by {server}: {median(added):.2f} ms")
    return "\n".join(lines)


def _of(rows: Rows, kind: str, callers: int, server: str) -> Rows:
    wanted = (kind, callers, server)
    return [row for row in rows if (row["kind"], row["callers"], row["server"]) == wanted]


def run(arguments: argparse.Namespace, folder: Path) -> str:
    """Measure, and give what came out as Markdown."""
    rows = compare(arguments, folder)
    return f"{table(rows)}\n\n{ratios(rows)}"
