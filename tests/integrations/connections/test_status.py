"""How integrations do, over windows: counts, rates, percentiles, breaker, last error."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.connections.status import Health, statuses
from integrations.models import CallRecord, Integration
from tests.api_client import ApiClient
from tests.factories.integrations import CallRecordFactory, IntegrationFactory

PATH = "integration/status"


@pytest.fixture
def integration(api: ApiClient, membership: Any) -> Integration:
    return IntegrationFactory(project=membership.project, name="crm")


def attempt(integration: Integration, **fields: Any) -> CallRecord:
    return CallRecordFactory(
        integration_id=integration.pk, project_id=integration.project_id, **fields
    )


def test_nothing_was_called_yet(api: ApiClient, integration: Integration) -> None:
    assert api.ok("GET", f"{PATH}/crm") == {
        "name": "crm",
        "health": "unknown",
        "request_count": 0,
        "error_count": 0,
        "error_rate": 0.0,
        "latency_ms": {"p50": None, "p95": None},
        "breaker": {"state": "closed", "retry_after_s": None},
        "last_error": None,
    }


def test_counts_and_percentiles_are_of_the_attempts(
    api: ApiClient, integration: Integration
) -> None:
    for latency_ms in range(1, 21):
        attempt(integration, latency_ms=float(latency_ms))
    attempt(integration, attempt=0, is_error=True, error_code="circuit_open", latency_ms=0)
    other = IntegrationFactory(project=integration.project)
    attempt(other, latency_ms=1e6)
    attempt(integration, latency_ms=21.0, is_error=True, error_code="http_503", status=503,
            error="It answered 503.")  # fmt: skip
    found = api.ok("GET", f"{PATH}/crm")
    assert (found["request_count"], found["error_count"]) == (21, 1)
    assert found["error_rate"] == pytest.approx(1 / 21)
    assert found["latency_ms"] == {"p50": 11.0, "p95": 20.0}
    last = found["last_error"]
    assert (last["code"], last["status"], last["message"]) == ("http_503", 503, "It answered 503.")


@pytest.mark.parametrize(("window", "count"), [("5m", 1), ("1h", 2), ("24h", 3), (None, 2)])
def test_windows(api: ApiClient, integration: Integration, window: str, count: int) -> None:
    now = timezone.now()
    for ago in (
        timedelta(minutes=4),
        timedelta(minutes=59),
        timedelta(hours=23),
        timedelta(days=2),
    ):
        attempt(integration, created_at=now - ago)
    query = f"?window={window}" if window else ""
    assert api.ok("GET", f"{PATH}/crm{query}")["request_count"] == count
    assert api.ok("GET", f"{PATH}{query}")["results"][0]["request_count"] == count


@pytest.mark.parametrize("window", ["2h", "", "1H", "5m,1h"])
def test_other_windows_are_refused(api: ApiClient, integration: Integration, window: str) -> None:
    envelope = api.refused(400, "GET", f"{PATH}/crm?window={window}")
    assert envelope["error_details"]["fields"][0]["path"] == "/window"


@pytest.mark.parametrize(
    ("good", "bad", "health"),
    [
        (0, 0, Health.UNKNOWN),
        (20, 1, Health.HEALTHY),
        (19, 1, Health.DEGRADED),
        (3, 2, Health.DEGRADED),
        (1, 1, Health.FAILING),
    ],
)
def test_health(integration: Integration, good: int, bad: int, health: Health) -> None:
    for is_error in [False] * good + [True] * bad:
        attempt(integration, is_error=is_error)
    (status,) = statuses([integration], window="1h")
    assert status.health is health
    integration.is_active = False
    (status,) = statuses([integration], window="1h")
    assert status.health is Health.INACTIVE


def test_another_projects_are_not_there(api: ApiClient, integration: Integration) -> None:
    theirs = IntegrationFactory()
    api.refused(404, "GET", f"{PATH}/{theirs.name}")
    assert [row["name"] for row in api.ok("GET", PATH)["results"]] == ["crm"]


def test_the_list_asks_as_often_for_many_as_for_few(
    api: ApiClient, integration: Integration
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            api.ok("GET", PATH)
        return len(captured)

    attempt(integration, is_error=True)
    queries()
    few = queries()
    for _ in range(10):
        other = IntegrationFactory(project=integration.project)
        attempt(other, is_error=True)
        attempt(other)
    assert queries() == few == 6
