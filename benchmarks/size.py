"""How much memory the server takes, how soon it answers, and whether it grows."""

import argparse
from pathlib import Path

from benchmarks import machine
from benchmarks.processes import Running, loaded, start_load, upstream
from benchmarks.servers import COMPLETION, intmod

STEPS = 10
CALLERS = 16


def run(arguments: argparse.Namespace, folder: Path) -> str:
    """Measure at the start and after each tenth of the calls; see README.md."""
    lines = ["| after calls | web process RSS MiB | with the one above it |", "|---|---|---|"]
    with (
        upstream(folder) as provider,
        intmod(folder, upstream_port=provider.port) as gateway,
    ):
        server = gateway.server
        lines.append(_line(0, server))
        for step in range(1, STEPS + 1):
            seen = loaded(
                start_load(
                    server.port, COMPLETION.path, callers=CALLERS,
                    calls=arguments.calls // STEPS, credential=gateway.credential,
                    body=COMPLETION.body, mark=COMPLETION.mark,
                )
            )  # fmt: skip
            if seen["failed"] or seen["unavailable"]:
                raise RuntimeError(f"Some calls failed: {seen}")
            lines.append(_line(step * arguments.calls // STEPS, server))
    return f"Start to the first answer: {server.start_s} s.\n\n" + "\n".join(lines)


def _line(calls: int, server: Running) -> str:
    above, web = server.pids
    rss = machine.memory_mib([web], "Rss")
    return f"| {calls:,} | {rss} | {rss + machine.memory_mib([above], 'Rss'):.1f} |"
