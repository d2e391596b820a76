"""What touches the database holds on PostgreSQL too: those tests run once more there.

A second process, because Django's settings name one database for the life of a process.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
FOLDERS = ("authz", "intmod_site", "integrations/connections", "registry", "admin")
WITHOUT = (
    "intmod_site/test_strict_json.py",
    "intmod_site/test_keys.py",
    "registry/inference/local_models",
    "registry/inference/endpoints",
    "registry/inference/providers",
)


@pytest.mark.skipif(
    os.environ.get("INTMOD_TEST_DATABASE") == "postgresql", reason="this is the run on PostgreSQL"
)
@pytest.mark.timeout(500)
def test_the_database_tests_pass_on_postgresql() -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider",
            *(str(ROOT / folder) for folder in FOLDERS),
            *(f"--ignore={ROOT / path}" for path in WITHOUT),
        ],
        cwd=ROOT.parent,
        env={**os.environ, "INTMOD_TEST_DATABASE": "postgresql"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
