"""How the web server is started: one command line, the same in development and production.

granian's workers are processes with many threads: while a call waits for its model, another
thread answers somebody else.
"""

import os
import shutil
import sys
from pathlib import Path

from django.conf import settings

WORKER_KILL_TIMEOUT_S = 150
"""Above the longest call: a worker that is killed earlier loses its answers and its last rows."""


def server_command(*, host: str, port: int, workers: int, threads: int) -> list[str]:
    """Give the command line that serves the site.

    Args:
        host, port: Where to listen.
        workers: Processes.
        threads: Threads of each; one is taken for as long as a call takes. Those for callers who
            wait for a place are added, and begun when they are needed.
    """
    return [
        sys.executable, "-m", "granian",
        "--interface", "wsgi",
        "--host", host,
        "--port", str(port),
        "--workers", str(workers),
        "--blocking-threads", str(threads + for_waiting(threads)),
        "--no-ws",
        "--log-level", "error",
        "--workers-kill-timeout", str(WORKER_KILL_TIMEOUT_S),
        "--respawn-failed-workers",
        "--working-dir", str(settings.BASE_DIR),
        "intmod_site.wsgi:application",
    ]  # fmt: skip


def server_environment(*, threads: int) -> dict[str, str]:
    """Give the environment of the server's processes, with an empty folder for their metrics.

    Args:
        threads: Of each process. Where AI_CALLS_AT_ONCE is not set, calls of models get most of
            them and the rest is kept back for everything else.
    """
    folder = metrics_folder()
    # Numbers of an earlier run would be added to this one's.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "intmod_site.settings"),
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
        # With an arena for every few threads, each keeps what the others have freed.
        "MALLOC_ARENA_MAX": os.environ.get("MALLOC_ARENA_MAX", "2"),
        "AI_CALLS_AT_ONCE": os.environ.get("AI_CALLS_AT_ONCE") or str(threads - kept_back(threads)),
        "AI_CALLS_WAITING": str(for_waiting(threads)),
    }


def kept_back(threads: int) -> int:
    """Say how many threads calls of models may not take: an eighth, at least 2, at most 32."""
    return min(max(threads // 8, 2), 32, threads - 1)


def for_waiting(threads: int) -> int:
    """Say how many more threads there are for calls that wait for a place: half as many, or
    AI_CALLS_WAITING."""
    said = os.environ.get("AI_CALLS_WAITING")
    return int(said) if said else threads // 2


def metrics_folder() -> Path:
    """Say where this server's processes keep their numbers; a folder for each server."""
    return Path(settings.DATA_DIR) / "metrics" / str(os.getpid())
