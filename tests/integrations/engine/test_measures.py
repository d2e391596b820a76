"""What a Prometheus scrape is told."""

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client

from integrations.engine import measures
from tests.admin.working import work

pytestmark = pytest.mark.django_db


def scrape(client: Client) -> str:
    headers = {"Authorization": f"Bearer {settings.METRICS_TOKEN}"}
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_queues_and_workers_are_told(client: Client) -> None:
    work()
    told = scrape(client)
    assert 'intmod_jobs{queue="flows",state="waiting"} 1.0' in told
    assert 'intmod_jobs{queue="hooks",state="running"} 0.0' in told
    assert 'intmod_oldest_waiting_job_seconds{queue="sync"}' in told
    assert "intmod_workers 1.0" in told


def test_without_the_database_the_rest_is_told(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(measures, "queue_states", away)
    assert "http_server_requests_total" in scrape(client)
