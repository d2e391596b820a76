"""Keys: made once in development, demanded in production."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from intmod_site.keys import read_key, read_ring

KEY = "k" * 30 + "0123456789abcdefghij"


@pytest.fixture(autouse=True)
def no_keys_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOME_KEY", "SOME_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_development_makes_a_key_and_keeps_it(tmp_path: Path) -> None:
    made = read_key("SOME_KEY", folder=tmp_path / "keys", production=False)
    assert len(made) >= 48
    assert read_key("SOME_KEY", folder=tmp_path / "keys", production=False) == made
    mode = (tmp_path / "keys" / "some_key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert read_key("OTHER_KEY", folder=tmp_path / "keys", production=False) != made


def test_processes_that_start_together_make_one_key(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from intmod_site.keys import read_key; "
        f"print(read_key('SOME_KEY', folder=Path({str(tmp_path)!r}), production=False))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(6)
    ]
    keys = {process.communicate()[0] for process in processes}
    assert len(keys) == 1


@pytest.mark.parametrize(
    "value", ["", "short", "django-insecure-" + KEY, "change-me-" + KEY, "Example" + KEY]
)
def test_production_refuses_what_is_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("SOME_KEY", value)
    with pytest.raises(ImproperlyConfigured, match="SOME_KEY"):
        read_key("SOME_KEY", folder=tmp_path, production=True)
    assert not list(tmp_path.iterdir())


def test_a_key_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text(KEY + "\n")
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "secret"))
    assert read_key("SOME_KEY", folder=tmp_path, production=True) == KEY
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        read_key("SOME_KEY", folder=tmp_path, production=True)


def test_a_ring_keeps_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", f"new:{KEY}n, old:{KEY}o")
    ring = read_ring("SOME_KEY", folder=tmp_path, production=True)
    assert list(ring.items()) == [("new", KEY + "n"), ("old", KEY + "o")]


@pytest.mark.parametrize("value", ["nokid", f"a:{KEY},a:{KEY}", ":x", "a:", f"a:{KEY},b:short"])
def test_odd_rings_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SOME_KEY", value)
    with pytest.raises(ImproperlyConfigured):
        read_ring("SOME_KEY", folder=tmp_path, production=True)


NAMES = (
    "SECRET_KEY", "JWT_SIGNING_KEYS", "FIELD_ENCRYPTION_KEYS", "AUDIT_KEY", "API_KEY_PEPPER",
    "METRICS_TOKEN",
)  # fmt: skip


def check_deploy(tmp_path: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    keys = {name: f"{KEY}{number}" for number, name in enumerate(NAMES)}
    keys |= {name: f"k1:{keys[name]}" for name in NAMES if name.endswith("_KEYS")}
    environment = {
        "PATH": os.environ["PATH"],
        "INTMOD_ENV": "production",
        "INTMOD_DATA_DIR": str(tmp_path),
        "ALLOWED_HOSTS": "intmod.example.org",
        "DATABASE_URL": "postgres://intmod@db.invalid/intmod",
        **keys,
        **changes,
    }
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env={name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_passes_the_deployment_check(tmp_path: Path) -> None:
    done = check_deploy(tmp_path)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir()), "production made something by itself"


@pytest.mark.parametrize("name", NAMES)
def test_production_does_not_start_without_a_key(tmp_path: Path, name: str) -> None:
    done = check_deploy(tmp_path, **{name: ""})
    assert done.returncode != 0
    assert f"{name} is not set" in done.stderr


def test_two_purposes_want_two_keys(tmp_path: Path) -> None:
    done = check_deploy(tmp_path, SECRET_KEY=KEY, AUDIT_KEY=KEY)
    assert done.returncode != 0
    assert "intmod.E001" in done.stderr


def test_development_does_not_pass_for_production(tmp_path: Path) -> None:
    done = check_deploy(tmp_path, INTMOD_ENV="development")
    assert "intmod.E002" in done.stderr
