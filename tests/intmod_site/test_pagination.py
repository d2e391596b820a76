"""Pages: every row once, forth and back, while others come and go."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authz.models import Project
from registry.models import MetricSample, ModelVersion, RegisteredModel
from tests.api_client import ApiClient
from tests.factories.registry import ModelVersionFactory, RegisteredModelFactory

properties = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@contextmanager
def undone() -> Iterator[None]:
    """Hypothesis runs one test many times on one database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def page(api: ApiClient, query: str) -> tuple[list[str], dict[str, Any]]:
    answer = api.ok("GET", f"registry/models?{query}")
    return [row["name"] for row in answer["results"]], answer


def add(names: Any) -> list[str]:
    project = Project.objects.get()
    return sorted(RegisteredModelFactory(project=project, name=name).name for name in names)


names = st.sets(st.text("abcxyz", min_size=1, max_size=3), max_size=12)


@given(names=names, size=st.integers(1, 5))
@properties
def test_forth_and_back_every_row_comes_once(api: ApiClient, names: set[str], size: int) -> None:
    with undone():
        expected = add(names)
        first, answer = page(api, f"page_size={size}")
        assert answer["previous"] is None
        forth = [first]
        while answer["next"]:
            rows, answer = page(api, f"page_size={size}&cursor={answer['next']}")
            forth.append(rows)
        assert [name for rows in forth for name in rows] == expected
        back = [forth[-1]]
        while answer["previous"]:
            rows, answer = page(api, f"page_size={size}&cursor={answer['previous']}")
            back.insert(0, rows)
        assert [name for rows in back for name in rows] == expected


@given(names=names, others=names, size=st.integers(1, 4))
@properties
def test_rows_that_come_meanwhile_hide_and_repeat_none(
    api: ApiClient, names: set[str], others: set[str], size: int
) -> None:
    with undone():
        expected = add(names)
        rows, answer = page(api, f"page_size={size}")
        add(others - names)
        seen = list(rows)
        while answer["next"]:
            rows, answer = page(api, f"page_size={size}&cursor={answer['next']}")
            seen += rows
        assert seen == sorted(set(seen)), "a row came twice, or out of order"
        assert set(expected) <= set(seen) <= set(expected) | others


def test_a_deleted_edge_does_not_matter(api: ApiClient) -> None:
    add(["b", "d", "f"])
    first, answer = page(api, "page_size=2")
    RegisteredModel.objects.filter(name="d").delete()
    assert first == ["b", "d"]
    assert page(api, f"page_size=2&cursor={answer['next']}")[0] == ["f"]


def test_equal_values_are_told_apart_by_the_last_column(
    api: ApiClient, version: ModelVersion
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for value in range(7):
        moment = at + timedelta(seconds=value // 3)
        MetricSample.objects.create(version_id=version.pk, metric="m", value=value, ts=moment)
    found, query = [], "page_size=2"
    while query:
        answer = api.ok("GET", f"{path_of(version)}?{query}")
        found += [sample["value"] for sample in answer["history"]]
        query = f"page_size=2&cursor={answer['next']}" if answer["next"] else ""
    assert found == [6, 5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("size", ["0", "1001", "-1", "1.5", "x", "", "\u0663", "9" * 5000])
def test_odd_page_sizes_are_refused(api: ApiClient, size: str) -> None:
    envelope = api.refused(400, "GET", f"registry/models?page_size={size}")
    assert envelope["error_details"]["fields"][0]["path"] == "/page_size"


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "forged",
    ["x", "%00", "e30", "\u00e9", "a" * 5000, cursor(), cursor(False), cursor(False, "a", "b"),
     cursor(1, "a"), cursor(False, None), cursor(False, ["a"]), cursor(False, {"a": 1}),
     cursor(False, 1.5), cursor(False, 5), cursor(False, True), cursor(False, "a\x00"),
     cursor(False, "\ud800")],
)  # fmt: skip
def test_forged_cursors_are_refused(api: ApiClient, forged: str) -> None:
    envelope = api.refused(400, "GET", f"registry/models?cursor={forged}")
    assert envelope["error_details"]["fields"][0]["path"] == "/cursor"


@pytest.fixture
def version(api: ApiClient) -> ModelVersion:
    return ModelVersionFactory(model__project=Project.objects.get())


def path_of(version: ModelVersion) -> str:
    return f"registry/models/{version.model.name}/versions/{version.number}/performance"


MOMENT = "2026-01-01 00:00:00+00:00"


@pytest.mark.parametrize(
    "values",
    [("x", 1), (2**70, 1), (5, 1), (True, 1), ("2026-01-01", 1), ("2026-01-01 00:00:00", 1),
     ("2026-01-01T00:00:00Z", 1), ("0001-01-01 00:00:00+14:00", 1),
     ("9999-12-31 23:59:59-14:00", 1), (MOMENT, 2**70), (MOMENT, 2**63), (MOMENT, "1"),
     (MOMENT, True), (MOMENT, "x")],
)  # fmt: skip
def test_forged_values_of_other_types_are_refused(
    api: ApiClient, version: ModelVersion, values: tuple[Any, Any]
) -> None:
    api.refused(400, "GET", f"{path_of(version)}?cursor={cursor(False, *values)}")
    api.ok("GET", f"{path_of(version)}?cursor={cursor(False, MOMENT, 1)}")


def test_a_cursor_of_another_list_is_refused(api: ApiClient) -> None:
    add(["a", "b"])
    token = page(api, "page_size=1")[1]["next"]
    api.refused(400, "GET", f"registry/versions?cursor={token}")
