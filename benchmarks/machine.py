"""The machine: its cores, what a process tree uses of them, and how fast they are just now."""

import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
LOAD_CORE, SERVER_CORE = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
"""Callers and upstream run on the one, the server under test runs alone on the other."""


def describe() -> str:
    """Say what was measured on, in one line."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def processes_of(root: int) -> list[int]:
    """Give a process and everything below it."""
    waiting, found = [root], []
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for thread in _threads(pid):
            waiting.extend(map(int, _read(thread / "children").split()))
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """Give the processor seconds that living processes have used."""
    ticks = 0
    for pid in pids:
        if stat := _read(f"/proc/{pid}/stat"):
            fields = stat.rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_S


def wait_until_idle(pids: list[int], within_s: float = 10.0) -> None:
    """Let a server finish what its callers left behind: it would compute while another is measured.

    Args:
        pids: Its processes.
        within_s: After so many seconds it is left to itself.
    """
    until_s = time.monotonic() + within_s
    used_s = cpu_s(pids)
    while time.monotonic() < until_s:
        time.sleep(0.1)
        before_s, used_s = used_s, cpu_s(pids)
        if used_s - before_s < 0.02:
            return


def memory_mib(pids: Iterable[int], kind: str) -> float:
    """Give what the processes hold: `Rss`, or `Pss`, which counts what they share once."""
    kib = 0
    for pid in pids:
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(f"{kind}:"):
                kib += int(line.split()[1])
    return round(kib / 1024, 1)


def loop_ms() -> float:
    """Time a fixed loop on the server's core: a shared host may give it anything to half speed."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        return round(min(_loop_s() for _ in range(3)) * 1000, 2)
    finally:
        os.sched_setaffinity(0, before)


def _loop_s() -> float:
    began = time.thread_time()
    total = 0
    for number in range(400_000):
        total += number % 7
    return time.thread_time() - began


def _threads(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
