"""The tests of the database once more, on PostgreSQL, in a process beside the main run.

A second process, because Django's settings name one database for the life of a process; beside and
not after it, because the machine has two cores.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent
FOLDERS = (
    "authz",
    "intmod_site",
    "integrations/connections",
    "integrations/engine",
    "integrations/webhooks",
    "registry",
    "admin",
)
WITHOUT = (
    "intmod_site/test_strict_json.py",
    "intmod_site/test_keys.py",
    "registry/inference/local_models",
    "registry/inference/endpoints",
    "registry/inference/providers",
    # Long, and about views; what it asks of the database, the other tests of the matrix ask too.
    "authz/matrix/test_matrix.py",
)
IS_SECOND = os.environ.get("INTMOD_TEST_DATABASE") == "postgresql"

_running: tuple[subprocess.Popen[bytes], IO[bytes]] | None = None


def start() -> None:
    """Begin, unless it has begun."""
    global _running  # noqa: PLW0603
    if _running is not None or IS_SECOND:
        return
    output = tempfile.TemporaryFile()  # noqa: SIM115 -- it lives as long as the run
    command = [
        sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider",
        *(str(ROOT / folder) for folder in FOLDERS),
        *(f"--ignore={ROOT / path}" for path in WITHOUT),
    ]  # fmt: skip
    environment = {**os.environ, "INTMOD_TEST_DATABASE": "postgresql"}
    process = subprocess.Popen(
        command, cwd=ROOT.parent, env=environment, stdout=output, stderr=output
    )
    _running = (process, output)


def result() -> tuple[int, str]:
    """Wait for its end; give its exit code and what it wrote last."""
    start()
    assert _running is not None
    process, output = _running
    code = process.wait()
    output.seek(0)
    return code, output.read().decode(errors="replace")[-40_000:]


def stop() -> None:
    """End it, if it still runs: the main run is over."""
    global _running  # noqa: PLW0603
    if _running is not None:
        process, output = _running
        process.terminate()
        process.wait()
        output.close()
        _running = None
