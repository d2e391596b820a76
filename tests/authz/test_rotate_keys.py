"""Rotating the keys that tokens are signed with: the ring, its file, the command."""

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError

from authz.checks import check_signing_keys
from authz.identity import key_rotation
from authz.identity.key_rotation import plan_rotation
from authz.identity.signing_keys import current_ring, ring_of, signing_key
from authz.models import AuditEvent
from tests.api_client import ApiClient
from tests.authz.conftest import ED25519, LogIn

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEAD = timedelta(minutes=10)
OLD = (("k1", "o" * 48),)


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "ring"
    path.write_text("k1:" + "o" * 48 + "\n")
    path.chmod(0o640)
    settings.JWT_SIGNING_KEYS_FILE = path
    return path


def run(*words: str) -> Any:
    out = StringIO()
    call_command("rotate_keys", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_new_key_verifies_before_it_signs() -> None:
    plan = plan_rotation(OLD, now=NOW, lead=LEAD, algorithm="EdDSA")
    assert plan.made == "20261124T121000Z"
    ring = ring_of(plan.pairs)
    assert list(ring) == [plan.made, "k1"]
    assert signing_key(ring, now=NOW + LEAD - timedelta(seconds=1)).kid == "k1"
    begun = signing_key(ring, now=NOW + LEAD)
    assert (begun.kid, begun.algorithm) == (plan.made, "EdDSA")


def test_a_second_rotation_waits_for_the_first() -> None:
    first = plan_rotation(OLD, now=NOW, lead=LEAD)
    again = plan_rotation(first.pairs, now=NOW + LEAD / 2, lead=LEAD)
    assert (again.made, again.dropped, again.pairs) == (None, [], first.pairs)
    at_once = plan_rotation(OLD, now=NOW)
    assert plan_rotation(at_once.pairs, now=NOW).pairs == at_once.pairs


def test_a_key_goes_when_the_longest_life_has_passed(settings: Any) -> None:
    plan = plan_rotation(OLD, now=NOW, lead=LEAD)
    longest = timedelta(seconds=settings.REFRESH_TOKEN_LIFETIME_S + settings.TOKEN_LEEWAY_S)
    month = timedelta(days=30)
    early = plan_rotation(plan.pairs, now=NOW + longest, older_than=month)
    assert (early.made, early.dropped) == (None, [])
    late = plan_rotation(plan.pairs, now=NOW + LEAD + longest, older_than=month)
    assert (late.made, late.dropped) == (None, ["k1"])
    assert dict(late.pairs) == {plan.made: plan.pairs[0][1]}
    due = plan_rotation(late.pairs, now=NOW + LEAD + month, older_than=month)
    assert due.made
    assert not due.dropped


def test_after_a_leak_no_other_key_is_left() -> None:
    plan = plan_rotation((("20261124T121000Z", ED25519), *OLD), now=NOW, forget_others=True)
    assert plan.dropped == ["20261124T121000Z", "k1"]
    assert [key.algorithm for key in ring_of(plan.pairs).values()] == ["EdDSA"]


def test_the_command_rotates_the_file_and_nobody_is_logged_out(file: Path, log_in: LogIn) -> None:
    before = log_in()
    assert run()["kept"][1:] == ["k1"]
    assert jwt.get_unverified_header(log_in()["access"])["kid"] == "k1", "its moment comes later"
    file.write_text("k1:" + "o" * 48)
    told = run("--lead-s", "0", "--algorithm", "EdDSA")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(file.parent.iterdir()) == [file]
    after = ApiClient().ok("POST", "auth/token/refresh", {"refresh": before["refresh"]})
    assert jwt.get_unverified_header(after["access"])["kid"] == told["made"]
    for pair in (before, after):
        ApiClient(pair["access"]).ok("GET", "auth/me")
    assert run("--if-older-than-days", "30")["made"] is None
    event = AuditEvent.objects.filter(action="signing_key.rotate").order_by("-id")[0]
    assert event.actor_label == "manage.py rotate_keys"
    assert event.changes["made"] == told["made"]
    secrets = [pair.partition(":")[2] for pair in file.read_text().split(",")]
    assert not any(secret.strip() in str(event.changes) for secret in secrets)


def test_forgetting_ends_every_token(file: Path, log_in: LogIn) -> None:
    before = log_in()
    assert run("--forget-others")["dropped"] == ["k1"]
    ApiClient(before["access"]).refused(401, "GET", "auth/me")
    ApiClient().refused(401, "POST", "auth/token/refresh", {"refresh": before["refresh"]})
    ApiClient(log_in()["access"]).ok("GET", "auth/me")


def test_a_broken_or_missing_file_changes_nothing(file: Path, log_in: LogIn) -> None:
    access = log_in()["access"]
    ring = current_ring()
    for text in ("", "nonsense:", "k1:a,k1:b", "k2:ed25519.AAAA", "\ud800"):
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        assert current_ring() == ring
        ApiClient(access).ok("GET", "auth/me")
    file.unlink()
    assert current_ring() == ring
    with pytest.raises(CommandError) as refused:
        run()
    assert refused.value.returncode == 1


def test_what_cannot_be_recorded_is_not_rotated(
    file: Path, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = file.read_text()

    def fail(**_: Any) -> None:
        raise RuntimeError("the log is full")

    monkeypatch.setattr(key_rotation, "record_event", fail)
    with pytest.raises(RuntimeError):
        run()
    assert file.read_text() == text


def test_a_ring_in_the_environment_is_printed_and_not_changed(db: None, settings: Any) -> None:
    with pytest.raises(CommandError) as refused:
        run()
    assert refused.value.returncode == 1
    told = run("--print")
    assert told["ring"].startswith(told["made"] + ":")
    assert "restart every process" in told["next"]


@pytest.mark.parametrize(
    "words", [("--lead-s", "-1"), ("--lead-s", "86401"), ("--if-older-than-days", "0")]
)
def test_odd_wishes_exit_with_1(file: Path, words: tuple[str, ...]) -> None:
    text = file.read_text()
    with pytest.raises(CommandError) as refused:
        run(*words)
    assert (refused.value.returncode, file.read_text()) == (1, text)


@pytest.mark.parametrize("key", ["ed25519.", "ed25519.AAAA", "ed25519." + "A" * 44, "ed25519.é"])
def test_what_is_no_key_is_refused_at_the_start(settings: Any, key: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="32 bytes"):
        ring_of((("k1", key),))
    settings.JWT_SIGNING_KEYS = {"k1": key}
    assert [error.id for error in check_signing_keys()] == ["authz.E001"]
    assert key[8:] == "" or key[8:] not in str(check_signing_keys())


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_of_several_processes_one_makes_the_key(tmp_path: Path) -> None:
    environment = {**os.environ, "INTMOD_DATA_DIR": str(tmp_path), "DATABASE_URL": ""}
    environment["DJANGO_SETTINGS_MODULE"] = "intmod_site.settings"
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)
    words = [*manage, "rotate_keys", "--json"]
    running = [
        subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    told = [json.loads(process.communicate()[0]) for process in running]
    assert [process.returncode for process in running] == [0] * 6
    made = [each["made"] for each in told if each["made"]]
    assert len(made) == 1
    ring = (tmp_path / "keys" / "jwt_signing_keys").read_text()
    assert [pair.partition(":")[0] for pair in ring.split(",")] == [made[0], "k1"]
