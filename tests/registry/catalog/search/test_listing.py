"""Pages of searches whose statement is kept: other values, the same answers as a fresh query."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authz.audit.actor import Actor
from authz.models import Project
from intmod_site.api.errors import ValidationFailed
from registry.catalog.aliases import set_alias
from registry.catalog.search.listing import Listing, _statement
from registry.catalog.search.query import MODELS, VERSIONS, condition_of
from registry.models import ModelVersion, RegisteredModel, VersionMetric
from registry.models.tags import HEAD_LENGTH
from tests.registry.conftest import Register

MODEL_LISTING = Listing(MODELS, RegisteredModel.objects.existing(), ("name",))
VERSION_LISTING = Listing(VERSIONS, ModelVersion.objects.existing(), ("identifier",))
EDGE = "x" * HEAD_LENGTH


@pytest.fixture(autouse=True)
def catalog(register: Register, actor: Actor, other_project: Project) -> None:
    for number, value in enumerate(["a", "b", EDGE[:-1], EDGE, EDGE + "y", "50%_[x]*?"], start=1):
        version = register(f"m{number % 3}", tags={"k": value, "all": "yes"}, source=value[:9])
        metric = {"metric": "loss", "aggregation": "latest", "value": number / 2}
        VersionMetric.objects.create(version=version, computed_at=timezone.now(), **metric)
        alias = "champion" if number % 2 else "other"
        set_alias(actor=actor, model=version.model, name=alias, version=version.number)
    ModelVersion.objects.filter(number=2).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    register("hidden", project=other_project, tags={"k": "a", "all": "yes"})


def listed(listing: Listing, text: str, project: Project, **asked: Any) -> list[str]:
    asked = {"keyset": ("id",), "size": 100, "token": None} | asked
    return [row[0] for row in listing.page(text, project_id=project.pk, **asked)[0]]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("name = '{}'", ["m0", "m1", "M1", "", "m'' OR ''1''=''1", "%s"]),
        ("name != '{}'", ["m0", "%"]),
        ("name LIKE '{}'", ["m%", "M%", "_1", "m1%"]),
        ("source ILIKE '{}'", ["A", "50\\%%", "50%_[%", "%*?", "%X%"]),
        ("source LIKE '{}'", ["A", "50%_[%", "%*?", "%x%"]),
        ("name IN ('m0', '{}')", ["m1", "m0", "none"]),
        ("NOT (name = '{}' OR number > 1)", ["m0", "m2"]),
        ("number >= {}", ["0", "1", "2", "-5", "4294967296", "'2'"]),
        ("created_at < '{}'", ["2026-06-01", "2020-01-01T00:00:00+02:00", "9999-12-31"]),
        ("created_at < {}", ["0", "1767225600000", "1767225600001"]),
        ("is_active = {}", ["true", "'false'", "false"]),
        ("tags.k = '{}'", ["a", EDGE[:-1], EDGE, EDGE + "y", EDGE + "z", ""]),
        ("tags.k != '{}'", ["a", EDGE, EDGE + "y"]),
        ("tags.k IN ('b', '{}')", ["a", EDGE, EDGE + "y", "b"]),
        ("tags.k LIKE '{}'", ["a%", "x%", "%y", "50%_[%"]),
        ("tags.all = 'yes' AND tags.k = '{}'", ["a", EDGE, EDGE + "y", "none"]),
        ("tags.k = '{}' AND tags.all = 'yes'", ["b", EDGE, EDGE + "y"]),
        ("tags.nothing IS NULL AND name = '{}'", ["m1", "m2"]),
        ("aliases.champion = {}", ["1", "2"]),
        ("aliases.champion != {}", ["1", "2"]),
        ("alias = '{}'", ["champion", "other", "none"]),
        ("metrics.loss > {}", ["1", "0.75", "1e9"]),
        ("metrics.loss != {} AND aliases.champion", ["0.5", "1"]),
    ],
)
def test_other_values_find_what_a_fresh_query_finds(
    project: Project, text: str, values: list[str]
) -> None:
    for value in [*values, values[0]]:
        asked = text.format(value)
        rows = ModelVersion.objects.existing().in_project(project.pk)
        condition = condition_of(asked, VERSIONS, project_id=project.pk)
        fresh = rows.filter(condition).order_by("id").values_list("identifier", flat=True)
        assert listed(VERSION_LISTING, asked, project) == list(fresh), asked


def test_values_are_not_part_of_what_is_kept(project: Project, other_project: Project) -> None:
    listed(VERSION_LISTING, "tags.k = 'a' OR name LIKE 'm%'", project)
    kept = _statement.cache_info()
    assert listed(VERSION_LISTING, "  tags.k = 'b'  OR (name LIKE '%q')", other_project) == []
    assert listed(VERSION_LISTING, "tags.k = 'a' OR name LIKE 'z'", other_project) == ["hidden-1"]
    now = _statement.cache_info()
    assert (now.hits, now.misses) == (kept.hits + 2, kept.misses)
    with CaptureQueriesContext(connection) as caught:
        listed(VERSION_LISTING, "tags.k = 'c' OR name LIKE 'm1'", project)
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("good", "bad", "position"),
    [
        ("number > 1", "   number > 'x'", 11),
        ("name = 'a'", "name = 5", 6),
        ("created_at > 5", "created_at > 'x'", 12),
        ("is_active = true", "is_active = 'perhaps'", 11),
        ("metrics.loss > 5", "metrics.loss > 'x'", 14),
        ("aliases.champion = 1", "aliases.champion = 1.5", 18),
        ("tags.k = 'a' AND tags.all = 'b'", "tags.k = 'a' AND tags.all = 5", 27),
    ],
)
def test_a_bad_value_is_refused_where_it_stands(
    project: Project, good: str, bad: str, position: int
) -> None:
    listed(VERSION_LISTING, good, project)
    with pytest.raises(ValidationFailed, match=f"At character {position}:"):
        listed(VERSION_LISTING, bad, project)


@pytest.mark.parametrize("keyset", [("id",), ("-created_at", "id"), ("model__name", "-id")])
@pytest.mark.parametrize("text", ["", "tags.all = 'yes'", "number > 0 AND tags.all = 'yes'"])
def test_pages_follow_each_other(project: Project, keyset: tuple[str, ...], text: str) -> None:
    rows = ModelVersion.objects.in_project(project.pk).order_by(*keyset)
    found: list[str] = []
    token: str | None = None
    while token or not found:
        page, token = VERSION_LISTING.page(
            text, project_id=project.pk, keyset=keyset, size=2, token=token
        )
        assert 0 < len(page) <= 2
        found += [identifier for (identifier,) in page]
    assert found == list(rows.values_list("identifier", flat=True))


def test_models_are_listed_alike(project: Project) -> None:
    assert listed(MODEL_LISTING, "", project, keyset=("-name", "id")) == ["m2", "m1", "m0"]
    assert listed(MODEL_LISTING, "aliases.other", project, keyset=("name", "id")) == [
        "m0", "m1", "m2",
    ]  # fmt: skip
    with pytest.raises(ValidationFailed, match="metrics"):
        listed(MODEL_LISTING, "metrics.loss > 1", project)
    with pytest.raises(ValidationFailed):
        listed(MODEL_LISTING, "", project, token="odd")
