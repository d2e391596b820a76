"""What must hold before the site may serve. https://docs.djangoproject.com/en/5.2/ref/checks/"""

import sqlite3
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

ABOVE_ZERO = ("LOGIN_TRIES_AT_ADDRESS", "LOGIN_TRIES_EVERYWHERE", "ADMIN_CONFIRMED_FOR_S")
"""Settings without which nobody could log in, or would be asked for their password for ever."""

SQLITE_WAL_BUG = ((3, 7, 0), (3, 51, 3))
"""Versions from, and before, which WAL can in rare cases corrupt: https://www.sqlite.org/wal.html"""


@register(Tags.security)
def check_keys_differ(**_: Any) -> list[CheckMessage]:
    """E001: one key for two purposes turns a leak of one into a leak of both."""
    keys = [
        settings.SECRET_KEY,
        settings.AUDIT_KEY,
        settings.API_KEY_PEPPER,
        settings.METRICS_TOKEN,
        *settings.JWT_SIGNING_KEYS.values(),
        *settings.FIELD_ENCRYPTION_KEYS.values(),
    ]
    if len(set(keys)) == len(keys):
        return []
    return [
        Error(
            "Two of the site's keys are the same.",
            hint="SECRET_KEY, JWT_SIGNING_KEYS, FIELD_ENCRYPTION_KEYS, AUDIT_KEY, API_KEY_PEPPER "
            "and METRICS_TOKEN must each be random and different.",
            id="intmod.E001",
        )
    ]


@register(Tags.security, deploy=True)
def check_debug(**_: Any) -> list[CheckMessage]:
    """E002: deploying outside production mode leaves development's defaults on."""
    if settings.PRODUCTION:
        return []
    return [
        Error(
            "This is not production mode.",
            hint="Set INTMOD_ENV=production and the keys that it asks for.",
            id="intmod.E002",
        )
    ]


@register(Tags.database)
def check_atomic_requests(**_: Any) -> list[CheckMessage]:
    """E003: with ATOMIC_REQUESTS a refused request would roll back the record of its denial."""
    if not connection.settings_dict["ATOMIC_REQUESTS"]:
        return []
    return [
        Error(
            "ATOMIC_REQUESTS is on.",
            hint="Turn it off: services open their own transactions, and denials are recorded "
            "outside them.",
            id="intmod.E003",
        )
    ]


@register(Tags.database, deploy=True)
def check_sqlite_version(**_: Any) -> list[CheckMessage]:
    """W004: some builds of SQLite have a rare bug in WAL mode. Told at deployment only."""
    first, fixed = SQLITE_WAL_BUG
    if connection.vendor != "sqlite" or not first <= sqlite3.sqlite_version_info < fixed:
        return []
    return [
        checks.Warning(
            f"SQLite {sqlite3.sqlite_version} has a rare corruption bug in WAL mode.",
            hint="Use PostgreSQL (DATABASE_URL), or a Python with SQLite 3.51.3 or newer.",
            id="intmod.W004",
        )
    ]


@register()
def check_tracing_is_installed(**_: Any) -> list[CheckMessage]:
    """E005: spans are asked for, and every call would fail to send one."""
    if not settings.TRACES_ENABLED or find_spec("opentelemetry") is not None:
        return []
    return [
        Error(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed.",
            hint="Install the extra: pip install 'intmod[otel]'.",
            id="intmod.E005",
        )
    ]


@register(Tags.security)
def check_logins_are_possible(**_: Any) -> list[CheckMessage]:
    """E006: no tries at all, or a password that counts for no time, would keep everybody out."""
    return [
        Error(f"{name} is not above zero.", hint="It has no value for 'none'.", id="intmod.E006")
        for name in ABOVE_ZERO
        if getattr(settings, name) <= 0
    ]
