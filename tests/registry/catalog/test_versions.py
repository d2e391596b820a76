"""Versions: numbered, named, and refused when they could not be called as they say."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from authz.audit.actor import Actor
from authz.configuration.revision import read_revision
from authz.models import AuditEvent, Project
from integrations.connections.services import register_integration
from intmod_site.api.errors import ApiError, Conflict, NotFound, ValidationFailed
from registry.catalog.services import delete_model, rename_model
from registry.catalog.versions import (
    deactivate_version,
    delete_version,
    register_model,
    update_version,
    version_numbered,
)
from registry.models import ModelVersion, RegisteredModel
from tests.registry.conftest import Register


def test_the_guides_example_can_be_registered(actor: Actor, project: Project) -> None:
    version = register_model(
        actor=actor,
        project=project,
        model_id="gpt-4-v1",
        model_name="gpt-4",
        model_type="llm",
        provider="openai",
        provider_model="gpt-4",
        version="1.0",
        parameters={"temperature": 0.7, "max_tokens": 1000},
    )
    assert (version.identifier, version.number, version.label) == ("gpt-4-v1", 1, "1.0")
    assert version_numbered(project=project, model_name="gpt-4", number=1) == version


def test_numbers_count_up_within_a_model(register: Register) -> None:
    assert [register("a").number, register("a").number, register("b").number] == [1, 2, 1]


def test_a_model_id_stands_once_in_a_project(
    register: Register, actor: Actor, other_project: Project
) -> None:
    register("a", model_id="mine")
    register("a", model_id="mine", project=other_project)
    with pytest.raises(Conflict, match="mine"):
        register("b", model_id="mine")
    assert not RegisteredModel.objects.filter(name="b").exists(), "half a registration was kept"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"tasks": ["fly"]}, "/tasks"),
        ({"tasks": ["embed"]}, "/tasks"),
        ({"provider": "nobody"}, "/tasks"),
        ({"provider_model": "unknown"}, "/tasks"),
        ({"limits": {"max_tokens": 0}}, "/limits/max_tokens"),
        ({"limits": {"max_tokens": True}}, "/limits/max_tokens"),
        ({"limits": {"tokens": 5}}, "/limits/tokens"),
        ({"limits": []}, "/limits"),
        ({"prices": {"input_usd_per_mtok": "-1"}}, "/prices/input_usd_per_mtok"),
        ({"prices": {"input_usd_per_mtok": "NaN"}}, "/prices/input_usd_per_mtok"),
        ({"prices": {"input": "1"}}, "/prices/input"),
        ({"prices": {"input_usd_per_mtok": "1E-20000000"}}, "/prices/input_usd_per_mtok"),
        ({"prices": {"input_usd_per_mtok": "1" * 31}}, "/prices/input_usd_per_mtok"),
        ({"parameters": {"temperature": 3}}, "/parameters/temperature"),
        ({"parameters": {"max_tokens": "5"}}, "/parameters/max_tokens"),
        ({"parameters": {"system": 5}}, "/parameters/system"),
        ({"parameters": {"stop": 5}}, "/parameters/stop"),
    ],
)
def test_what_could_not_be_called_is_refused_by_field(
    register: Register, fields: dict[str, Any], path: str
) -> None:
    with pytest.raises(ValidationFailed) as raised:
        register(**fields)
    assert raised.value.fields[0].path == path
    assert not ModelVersion.objects.exists()


@pytest.mark.parametrize("model_id", ["-x", "a b", "a\n", "x" * 201, "é"])
def test_odd_model_ids_are_refused(register: Register, model_id: str) -> None:
    with pytest.raises((ValidationError, ApiError)):
        register(model_id=model_id)


def test_prices_keep_every_digit(register: Register) -> None:
    version = register(prices={"input_usd_per_mtok": 0.15, "output_usd_per_mtok": "0.600"})
    assert Decimal(version.prices["input_usd_per_mtok"]) == Decimal("0.15")
    assert version.prices["output_usd_per_mtok"] == "0.600"


def test_an_integration_of_another_project_is_as_good_as_none(
    register: Register, actor: Actor, other_project: Project
) -> None:
    theirs = register_integration(
        actor=actor, project=other_project, name="theirs", base_url="https://api.example.com"
    )
    with pytest.raises(ValidationFailed, match="no such integration"):
        register(integration=theirs)


def test_the_source_of_a_ready_version_does_not_change(register: Register, actor: Actor) -> None:
    version = register(source="s3://bucket/a")
    with pytest.raises(Conflict, match="source"):
        update_version(actor=actor, version=version, changes={"source": "s3://bucket/b"})
    update_version(actor=actor, version=version, changes={"source": "s3://bucket/a", "label": "2"})
    version.refresh_from_db()
    assert version.label == "2"


def test_deactivation_is_recorded_and_moves_the_revision(register: Register, actor: Actor) -> None:
    version = register()
    before = read_revision()
    deactivate_version(actor=actor, version=version)
    assert read_revision() > before
    assert AuditEvent.objects.get(action="modelversion.update").changes == {
        "is_active": [True, False],
        "updated_at": AuditEvent.objects.get(action="modelversion.update").changes["updated_at"],
    }


def test_versions_of_other_projects_are_not_found(
    register: Register, other_project: Project
) -> None:
    register()
    with pytest.raises(NotFound):
        version_numbered(project=other_project, model_name="smol", number=1)


def test_what_it_is_made_of_stays_once_it_is_ready(register: Register, actor: Actor) -> None:
    version = register("a", source="s3://a", digest="sha256:1", status="PENDING_REGISTRATION")
    ready = {"source": "s3://b", "digest": "sha256:2", "status": "READY"}
    update_version(actor=actor, version=version, changes=ready)
    for name, value in (
        ("source", "s3://c"),
        ("digest", "sha256:3"),
        ("status", "PENDING_REGISTRATION"),
        ("status", "FAILED_REGISTRATION"),
    ):
        with pytest.raises(Conflict):
            update_version(actor=actor, version=version, changes={name: value})
    same = {"source": "s3://b", "description": "Other."}
    assert update_version(actor=actor, version=version, changes=same).description == "Other."


@pytest.mark.parametrize(
    "schema", [[], "x", {"type": 7}, {"$schema": "http://e.invalid/"}, {"$schema": 5}]
)
def test_schemas_are_json_schemas(register: Register, schema: object) -> None:
    good = {"type": "object", "properties": {"text": {"type": "string"}}}
    assert register("a", input_schema=good, output_schema={}).input_schema == good
    for name in ("input_schema", "output_schema"):
        with pytest.raises(ValidationFailed) as raised:
            register("a", **{name: schema})
        assert raised.value.fields[0].path.startswith(f"/{name}")


def test_a_number_is_not_given_again(register: Register, actor: Actor) -> None:
    second = [register("a"), register("a")][1]
    delete_version(actor=actor, version=second)
    with pytest.raises(NotFound):
        delete_version(actor=actor, version=second)
    assert register("a").number == 3


def test_model_ids_that_would_collide_are_told_apart(register: Register) -> None:
    first, second = register("a b"), register("a-b")
    assert first.identifier == "a-b-1"
    assert second.identifier.startswith("a-b-1-")


def test_a_renamed_models_numbers_stay_with_both_names(register: Register, actor: Actor) -> None:
    model = [register("a"), register("a")][0].model
    assert rename_model(actor=actor, model=model, name="b").name == "b"
    assert register("a").number == 3
    assert register("b").number == 3
    with pytest.raises(Conflict):
        rename_model(actor=actor, model=model, name="a")
    delete_model(actor=actor, model=RegisteredModel.objects.get(name="a"))
    rename_model(actor=actor, model=model, name="a")
    assert register("a").number == 4
    assert register("b").number == 4


@pytest.mark.parametrize("name", ["", "a/b", "a" * 201, "x:y"])
def test_odd_new_names(register: Register, actor: Actor, name: str) -> None:
    with pytest.raises(ValidationError):
        rename_model(actor=actor, model=register("a").model, name=name)
    assert RegisteredModel.objects.count() == 1
