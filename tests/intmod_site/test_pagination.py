"""Pages: every row once, forth and back, while others come and go."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authz.models import Project
from tests.api_client import ApiClient
from tests.factories.registry import RegisteredModelFactory


def names(api: ApiClient, query: str) -> tuple[list[str], dict[str, Any]]:
    page = api.ok("GET", f"registry/models?{query}")
    return [row["name"] for row in page["results"]], page


@given(rows=st.integers(0, 12), size=st.integers(1, 5))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_forth_and_back_every_row_comes_once(api: ApiClient, rows: int, size: int) -> None:
    project = Project.objects.get()
    project_models = RegisteredModelFactory._meta.model.objects
    project_models.all().delete()
    expected = sorted(RegisteredModelFactory(project=project).name for _ in range(rows))

    forth, page = names(api, f"page_size={size}")
    while page["next"]:
        more, page = names(api, f"page_size={size}&cursor={page['next']}")
        forth += more
    assert forth == expected

    back, _ = names(api, f"page_size={size}&cursor={page['next']}") if page["next"] else ([], page)
    while page["previous"]:
        before, page = names(api, f"page_size={size}&cursor={page['previous']}")
        back = before + back
    assert back == expected[: len(back)]


def test_rows_that_come_and_go_shift_nothing(api: ApiClient) -> None:
    project = Project.objects.get()
    for name in ("b", "d", "f"):
        RegisteredModelFactory(project=project, name=name)
    first, page = names(api, "page_size=2")
    RegisteredModelFactory(project=project, name="a")
    RegisteredModelFactory(project=project, name="e")
    RegisteredModelFactory._meta.model.objects.filter(name="d").delete()
    assert first == ["b", "d"]
    assert names(api, f"page_size=2&cursor={page['next']}")[0] == ["e", "f"]


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "forged",
    ["x", "%00", "e30", cursor(), cursor(False), cursor(False, "a", "b"), cursor(1, "a"),
     cursor(False, None), cursor(False, ["a"]), cursor(False, {"a": 1}), cursor(False, 1.5),
     cursor(False, "a\x00")],
)  # fmt: skip
def test_forged_cursors_are_refused(api: ApiClient, forged: str) -> None:
    envelope = api.refused(400, "GET", f"registry/models?cursor={forged}")
    assert envelope["error_details"]["fields"][0]["path"] == "/cursor"


@pytest.mark.parametrize(
    "values", [("x", 1), (2**70, 1), ("2026-01-01", "x"), ("2026-01-01T00:00:00Z", 2**70)]
)
def test_forged_values_of_other_types_are_refused(api: ApiClient, values: tuple[Any, Any]) -> None:
    from tests.factories.registry import ModelVersionFactory

    version = ModelVersionFactory(model__project=Project.objects.get())
    path = f"registry/models/{version.model.name}/versions/{version.number}/performance"
    api.refused(400, "GET", f"{path}?cursor={cursor(False, *values)}")
