"""System checks that depend on the machine; tests/intmod_site/test_keys.py runs the others."""

import sqlite3
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from intmod_site import checks


def test_development_passes(db: None) -> None:
    assert [message for message in run_checks() if message.is_serious()] == []


def test_atomic_requests_would_lose_denials(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.check_atomic_requests() == []
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert [message.id for message in checks.check_atomic_requests()] == ["intmod.E003"]


@pytest.mark.parametrize(
    ("version", "warned"),
    [((3, 6, 23), False), ((3, 7, 0), True), ((3, 51, 2), True), ((3, 51, 3), False)],
)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
def test_sqlite_builds_with_the_wal_bug_are_named(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], warned: bool
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    found = [message.id for message in checks.check_sqlite_version()]
    assert found == (["intmod.W004"] if warned else [])


def test_spans_need_their_library(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    assert checks.check_tracing_is_installed() == []
    settings.TRACES_ENABLED = True
    assert [message.id for message in checks.check_tracing_is_installed()] == ["intmod.E005"]
    monkeypatch.undo()
    assert checks.check_tracing_is_installed() == []


def test_each_of_ours_says_what_to_do(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    settings.AUDIT_KEY = settings.SECRET_KEY
    messages = [
        *checks.check_keys_differ(),
        *checks.check_debug(),
        *checks.check_atomic_requests(),
        *checks.check_sqlite_version(),
    ]
    expected = ["intmod.E001", "intmod.E002", "intmod.E003", "intmod.W004"]
    assert [message.id for message in messages] == expected[: len(messages)]
    assert all(message.hint for message in messages)


@pytest.mark.parametrize(
    "name", ["LOGIN_TRIES_AT_ADDRESS", "LOGIN_TRIES_EVERYWHERE", "ADMIN_CONFIRMED_FOR_S"]
)
@pytest.mark.parametrize("value", [0, -1])
def test_settings_that_would_keep_everybody_out(settings: Any, name: str, value: int) -> None:
    assert checks.check_logins_are_possible() == []
    setattr(settings, name, value)
    (told,) = checks.check_logins_are_possible()
    assert told.id == "intmod.E006"
    assert name in told.msg
