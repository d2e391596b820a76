"""Probes and metrics."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client

from intmod_site import health
from tests.api_client import ApiClient


def test_healthz_asks_nothing(client: Client) -> None:
    # Without the fixture `db`, a query would fail this test.
    assert client.get("/healthz").json() == {"status": "ok"}


def test_readyz_with_everything_there(client: Client, db: None) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["checks"] == {"database": "ok", "migrations": "ok", "engine": "ok"}


def test_readyz_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> str:
        raise DatabaseError("could not connect to host db user intmod")

    monkeypatch.setitem(health.CHECKS, "database", away)
    monkeypatch.setitem(health.CHECKS, "migrations", lambda: "2 migrations are not applied")
    monkeypatch.setitem(health.CHECKS, "engine", away)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "the database does not answer"
    assert "intmod" not in response.content.decode()


def readiness(tmp_path: Path, **environment: str) -> dict[str, Any]:
    """Ask a process of its own, whose database nobody has prepared."""
    code = (
        "import django; django.setup(); from django.test import Client; "
        "answer = Client().get('/readyz'); print(answer.status_code, answer.content.decode())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "intmod_site.settings",
            "INTMOD_DATA_DIR": str(tmp_path),
            "INTMOD_EXTENSIONS": "",
            **environment,
        },
    )  # fmt: skip
    status, _, body = done.stdout.partition(" ")
    assert status == "503", done.stdout
    return dict(json.loads(body)["checks"])


def test_readyz_before_the_migrations(tmp_path: Path) -> None:
    checks = readiness(tmp_path, DATABASE_URL="")
    assert checks["database"] == "ok"
    assert "run manage.py migrate" in checks["migrations"]
    assert "run manage.py migrate" in checks["engine"]


def test_readyz_with_a_database_that_cannot_be_reached(tmp_path: Path) -> None:
    checks = readiness(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/no/such/folder/secret.sqlite3")
    assert set(checks.values()) == {"the database does not answer"}


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer é"}]
)
def test_metrics_want_their_own_credential(client: Client, headers: dict[str, str]) -> None:
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 401


def test_metrics_count_requests_by_route(api: ApiClient) -> None:
    for name in ("a", "b", "c"):
        api.call("GET", f"registry/models/{name}")
    api.call("BREW", "registry/models")
    answer = api.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    text = answer.content.decode()
    assert 'route="/api/v1/registry/models/<str:name>",status="404"' in text
    assert "BREW" not in text
    assert 'method="OTHER"' in text
    assert "http_server_request_duration_seconds_bucket" in text
