"""Probes and metrics."""

from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client

from intmod_site import health
from tests.api_client import ApiClient


def test_healthz_asks_nothing(client: Client, django_assert_num_queries: Any) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_readyz_with_everything_there(client: Client, db: None) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["checks"] == {"database": "ok", "migrations": "ok"}


def test_readyz_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> str:
        raise DatabaseError("could not connect to host db user intmod")

    monkeypatch.setitem(health.CHECKS, "database", away)
    monkeypatch.setitem(health.CHECKS, "migrations", lambda: "2 migrations are not applied")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "the database does not answer"
    assert "intmod" not in response.content.decode()


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
