"""What was used, added up over the API."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authz.models import Project
from registry.models import InferenceRecord
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.factories.registry import ModelVersionFactory

DAY = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
PERIOD = {"since": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"}


def note(project: Project, **fields: Any) -> None:
    values = {
        "created_at": DAY,
        "project_id": project.pk,
        "user_id": project.pk,
        "user_label": "ada",
        "credential": "api_key:one",
        "request_id": "x",
        "task": "chat",
        "model": "smol",
        "status": 200,
        "input_tokens": 10,
        "output_tokens": 5,
        "cost_usd": Decimal("0.000000001"),
        "latency_ms": 1.0,
    }
    InferenceRecord.objects.create(**values | fields)


@pytest.fixture
def viewer(project: Project) -> ApiClient:
    return ApiClient(api_key_for(MembershipFactory(project=project, role_name="viewer")))


def used(api: ApiClient, **query: str) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = api.ok("GET", f"ai/usage?{urlencode({**PERIOD, **query})}")[
        "results"
    ]
    return results


def test_calls_are_added_up_by_model_the_dearest_first(project: Project, viewer: ApiClient) -> None:
    for _ in range(3):
        note(project)
    note(project, model="dear", cost_usd=Decimal("1.5"), input_tokens=None, output_tokens=None)
    note(project, model="dear", cost_usd=None, status=502)
    dear, smol = used(viewer)
    assert dear == {
        "key": "dear", "label": "", "calls": 2, "errors": 1, "input_tokens": 10,
        "output_tokens": 5, "cost_usd": dear["cost_usd"], "calls_without_cost": 1,
    }  # fmt: skip
    assert Decimal(dear["cost_usd"]) == Decimal("1.5")
    assert (smol["key"], smol["calls"], smol["input_tokens"]) == ("smol", 3, 30)
    assert Decimal(smol["cost_usd"]) == Decimal("0.000000003")


def test_other_ways_to_group(project: Project, viewer: ApiClient) -> None:
    note(project)
    note(project, created_at=DAY + timedelta(hours=1), credential="api_key:two", user_label="bob")
    assert [row["key"] for row in used(viewer, group_by="day")] == ["2026-11-20", "2026-11-21"]
    by_credential = used(viewer, group_by="credential")
    assert {(row["key"], row["label"]) for row in by_credential} == {
        ("api_key:one", "ada"),
        ("api_key:two", "bob"),
    }
    (whole,) = used(viewer, group_by="project")
    assert (whole["key"], whole["calls"]) == ("shop", 2)


def test_the_period_is_half_open_and_the_project_ones_own(
    project: Project, other_project: Project, viewer: ApiClient
) -> None:
    note(project, created_at=datetime(2026, 11, 1, tzinfo=UTC))
    note(project, created_at=datetime(2026, 12, 1, tzinfo=UTC))
    note(other_project)
    (row,) = used(viewer)
    assert row["calls"] == 1
    assert viewer.ok("GET", "ai/usage?group_by=project&until=2020-01-01T00:00:00Z")["results"] == []


def test_without_a_period_it_is_the_last_thirty_days(project: Project, viewer: ApiClient) -> None:
    note(project, created_at=timezone.now() - timedelta(days=29))
    note(project, created_at=timezone.now() - timedelta(days=31))
    (row,) = viewer.ok("GET", "ai/usage")["results"]
    assert row["calls"] == 1


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("group_by=user", "/group_by"),
        ("since=yesterday", "/since"),
        ("since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z", "/since"),
        ("until=0001-01-01T00:00:00Z", "/until"),
        ("project=x", "/project"),
    ],
)
def test_what_is_no_period_is_named(viewer: ApiClient, query: str, path: str) -> None:
    envelope = viewer.refused(400, "GET", f"ai/usage?{query}")
    assert envelope["error_details"]["fields"][0]["path"] == path


@pytest.mark.parametrize("group", ["model", "credential", "day", "project"])
def test_it_asks_as_often_for_many_calls_as_for_few(
    project: Project, viewer: ApiClient, group: str
) -> None:
    counts = []
    for _ in range(2):
        for number in range(10):
            note(project, model=f"m{number}", credential=f"c{number}")
        ModelVersionFactory(model__project=project)
        with CaptureQueriesContext(connection) as queries:
            used(viewer, group_by=group)
        counts.append(len(queries))
    assert counts[1] <= counts[0]
