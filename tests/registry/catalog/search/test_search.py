"""Searching versions and models over the API: what is found, in how many queries."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authz.audit.actor import Actor
from authz.models import Project
from registry.catalog.aliases import set_alias
from registry.catalog.search.rarest import rarest
from registry.catalog.services import update_model
from registry.catalog.versions import create_version, update_version
from registry.models import ModelTag, ModelVersion, RegisteredModel, VersionMetric, VersionTag
from registry.monitoring.performance import update_performance
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register


@pytest.fixture
def api(project: Project) -> ApiClient:
    return ApiClient(api_key_for(MembershipFactory(project=project, role_name="viewer")))


@pytest.fixture
def catalog(register: Register, actor: Actor) -> list[ModelVersion]:
    long_value = "x" * 300
    versions = [
        register("Alpha", tags={"team": "search", "tier": "gold"}, source="s3://a"),
        register("Alpha", tags={"team": "ads", "mlflow.prompt.is_prompt": "true"}),
        register("beta", tags={"team": "search", "note": long_value}, version="50%_off"),
        register("beta", tasks=[], provider="mlflow", run_id="r1"),
    ]
    set_alias(actor=actor, model=versions[0].model, name="champion", version=2)
    update_performance(actor=actor, version=versions[2], metrics={"accuracy": 0.9})
    VersionMetric.objects.create(
        version=versions[0], metric="latency_ms", aggregation="p95", value=700,
        computed_at=timezone.now(),
    )  # fmt: skip
    return versions


def ask(api: ApiClient, path: str, **query: str) -> list[Any]:
    return api.ok("GET", f"{path}?{urlencode(query)}")["results"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = 'Alpha'", "Alpha-1 Alpha-2"),
        ("name != 'Alpha'", "beta-1 beta-2"),
        ("name LIKE 'a%'", ""),
        ("name LIKE 'A%'", "Alpha-1 Alpha-2"),
        ("name LIKE '_eta'", "beta-1 beta-2"),
        ("name ILIKE 'aL%'", "Alpha-1 Alpha-2"),
        ("name LIKE '*'", ""),
        ("name LIKE '[b]eta'", ""),
        ("label LIKE '50_%off'", "beta-1"),
        ("name IN ('Alpha', 'x')", "Alpha-1 Alpha-2"),
        ("name NOT IN ('Alpha')", "beta-1 beta-2"),
        ("version_number > 1", "Alpha-2 beta-2"),
        ("version_number = '1'", "Alpha-1 beta-1"),
        ("version_number IN (1, 99999999999)", "Alpha-1 beta-1"),
        ("run_id IN ('r1')", "beta-2"),
        ("source_path = 's3://a'", "Alpha-1"),
        ("tags.team = 'search'", "Alpha-1 beta-1"),
        ("tag.team = 'search' AND tags.tier = 'gold'", "Alpha-1"),
        ("tags.team != 'search'", "Alpha-2 beta-2"),
        ("tags.`mlflow.prompt.is_prompt` != 'true'", "Alpha-1 beta-1 beta-2"),
        ("tags.team IS NULL", "beta-2"),
        ("tags.team IS NOT NULL", "Alpha-1 Alpha-2 beta-1"),
        ("tags.team LIKE 'se%'", "Alpha-1 beta-1"),
        ("tags.team ILIKE 'SE%'", "Alpha-1 beta-1"),
        ("tags.team IN ('ads', 'x')", "Alpha-2"),
        (f"tags.note = '{'x' * 300}'", "beta-1"),
        (f"tags.note = '{'x' * 299}'", ""),
        ("tags.note LIKE 'x%x'", "beta-1"),
        ("aliases.champion", "Alpha-2"),
        ("NOT aliases.champion", "Alpha-1 beta-1 beta-2"),
        ("aliases.champion IS NULL", "Alpha-1 beta-1 beta-2"),
        ("alias = 'champion'", "Alpha-2"),
        ("metrics.accuracy >= 0.9", "beta-1"),
        ("metrics.accuracy.latest > 0.9", ""),
        ("metrics.latency_ms.p95 < 800", "Alpha-1"),
        ("metrics.latency_ms.p95 < 800 OR metrics.accuracy = 0.9", "Alpha-1 beta-1"),
        ("metrics.accuracy IS NULL AND name = 'beta'", "beta-2"),
        ("is_active AND (number = 1 OR provider = 'mlflow')", "Alpha-1 beta-1 beta-2"),
        ("is_active = false", ""),
        ("created_at < '2001-01-01'", ""),
        ("creation_timestamp > 1000000000000", "Alpha-1 Alpha-2 beta-1 beta-2"),
        ("NOT (name = 'beta' OR tags.team = 'ads')", "Alpha-1"),
    ],
)
def test_what_is_found(
    api: ApiClient, catalog: list[ModelVersion], text: str, expected: str
) -> None:
    rows = ask(api, "registry/versions", filter=text, order_by="name, version_number")
    assert [row["model_id"] for row in rows] == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = 'Alpha'", ["Alpha"]),
        ("tags.owner = 'ann'", ["Alpha"]),
        ("tags.`mlflow.prompt.is_prompt` != 'true'", ["Alpha", "beta"]),
        ("aliases.champion", ["Alpha"]),
        ("aliases.champion = 2", ["Alpha"]),
        ("aliases.champion != 2", []),
        ("aliases.champion IS NULL", ["beta"]),
        ("model_type = 'llm' AND name ILIKE 'BE%'", ["beta"]),
    ],
)
def test_models_are_searched_too(
    api: ApiClient, catalog: list[ModelVersion], actor: Actor, text: str, expected: list[str]
) -> None:
    update_model(actor=actor, model=catalog[0].model, changes={"tags": {"owner": "ann"}})
    assert [row["name"] for row in ask(api, "registry/models", filter=text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "nme = 'a'", "name > 'a'", "name = 5", "number = 'a'", "number LIKE '1'", "tags = 'a'",
        "tags.a > 'b'", "tags.a = 5", "metrics.a = 'x'", "metrics.a LIKE 'x'", "is_active = 'yes'",
        "created_at > 'yesterday'", "created_at > 1e300", "created_at = true", "aliases.a IN (1)",
        "aliases.a = 'x'", "name", "name IS NULL", "metrics = 5", "alias.a = 'b'",
        "created_at > '0001-01-01T00:00:00+14:00'",
    ],
)  # fmt: skip
def test_what_cannot_be_searched_by_is_named(api: ApiClient, text: str) -> None:
    envelope = api.refused(400, "GET", f"registry/versions?filter={quote(text)}")
    assert envelope["error_details"]["fields"][0]["path"] == "/filter"
    assert "At character" in envelope["error"]


def test_another_projects_versions_are_not_found(
    other_project: Project, catalog: list[ModelVersion]
) -> None:
    member = MembershipFactory(project=other_project, role_name="viewer")
    api = ApiClient(api_key_for(member))
    assert ask(api, "registry/versions", filter="tags.team = 'search' OR name = 'beta'") == []


def test_pages_follow_the_order_without_gaps(
    api: ApiClient, register: Register, actor: Actor
) -> None:
    for index in range(7):
        register("ab"[index % 2])
    same = datetime(2026, 1, 1, tzinfo=UTC)
    ModelVersion.objects.update(updated_at=same)
    ModelVersion.objects.filter(number=1).update(updated_at=same + timedelta(seconds=1))
    for order in ("updated_at DESC", "name DESC, number", "model_id", "created_at"):
        seen, cursor = [], ""
        while cursor is not None:
            query = f"order_by={order.replace(' ', '+')}&page_size=2"
            data = api.ok(
                "GET", f"registry/versions?{query}" + (f"&cursor={cursor}" if cursor else "")
            )
            seen += [row["model_id"] for row in data["results"]]
            cursor = data["next"]
        assert len(seen) == len(set(seen)) == 7, order
        whole = ask(api, "registry/versions", order_by=order)
        assert [row["model_id"] for row in whole] == seen


def test_tags_that_change_are_searched_as_they_are(
    api: ApiClient, register: Register, actor: Actor
) -> None:
    version = register("a", tags={"x": "1"})
    update_version(actor=actor, version=version, changes={"tags": {"x": "2"}})
    assert ask(api, "registry/versions", filter="tags.x = '1'") == []
    assert len(ask(api, "registry/versions", filter="tags.x = '2'")) == 1


def test_queries_do_not_grow_with_rows(
    api: ApiClient, project: Project, actor: Actor, catalog: list[ModelVersion]
) -> None:
    text = "tags.team = 'search' OR metrics.accuracy > 0 OR aliases.champion OR tags.z IS NULL"
    counts = []
    for _ in range(2):
        assert ask(api, "registry/versions")  # what the process remembers is loaded anew
        with CaptureQueriesContext(connection) as captured:
            assert ask(api, "registry/versions", filter=text)
        counts.append(len(captured))
        model = RegisteredModel.objects.get(name="beta")
        for _ in range(10):
            create_version(
                actor=actor, model=model, provider="mlflow", provider_model="x",
                tags={"team": "search"},
            )  # fmt: skip
    assert counts[0] == counts[1] <= 3


def test_values_are_told_apart_beyond_what_is_indexed(api: ApiClient, register: Register) -> None:
    values = ["y" * length for length in (199, 200, 201, 300)] + ["y" * 199 + "z", ""]
    for value in values:
        register("Long", tags={"note": value})
    for number, value in enumerate(values, start=1):
        found = ask(api, "registry/versions", filter=f"tags.note = '{value}'")
        assert [row["model_id"] for row in found] == [f"Long-{number}"]
        others = ask(api, "registry/versions", filter=f"tags.note != '{value}'")
        assert len(others) == len(values) - 1


def test_several_tags_are_begun_with_the_rarest(api: ApiClient, register: Register) -> None:
    long_value = "x" * 250
    for number in range(6):
        register(
            "tagged",
            tags={
                "common": "yes",
                "third": str(number % 3),
                "long": long_value + str(number % 2),
            },
        )
    texts = {
        "tags.common = 'yes' AND tags.third = '1' AND version_number > 0": "tagged-2 tagged-5",
        "version_number > 0 AND tags.third = '1' AND tags.common = 'yes'": "tagged-2 tagged-5",
        f"tags.common = 'yes' AND tags.third = '1' AND tags.long = '{long_value}1'": "tagged-2",
        f"tags.long = '{long_value}' AND tags.common = 'yes'": "",
        "tags.common = 'yes' AND tags.nothing = 'x'": "",
        "tags.common = 'yes' AND tags.common = 'yes' AND tags.third != '0'": (
            "tagged-2 tagged-3 tagged-5 tagged-6"
        ),
        "tags.common = 'yes' AND (tags.third = '0' OR tags.third = '2')": (
            "tagged-1 tagged-3 tagged-4 tagged-6"
        ),
    }
    for text, expected in texts.items():
        found = ask(api, "registry/versions", filter=text, order_by="number")
        assert " ".join(sorted(version["model_id"] for version in found)) == expected, text


def test_the_tag_that_the_fewest_have(register: Register, project: Project) -> None:
    for number in range(4):
        register("tagged", tags={"common": "yes", "half": str(number % 2), "own": str(number)})
    with CaptureQueriesContext(connection) as caught:
        wanted = [("common", "yes"), ("half", "1"), ("own", "2"), ("common", "yes")]
        assert rarest(VersionTag, project.pk, wanted) == 2
        assert rarest(VersionTag, project.pk, wanted[:2]) == 1
        assert rarest(VersionTag, project.pk, [*wanted, ("own", "none")]) == 4
        assert rarest(VersionTag, uuid4(), wanted) == 0
        assert rarest(ModelTag, project.pk, wanted) == 0
    assert len(caught) == 5
