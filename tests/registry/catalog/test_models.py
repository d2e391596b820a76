"""Models: created once, deleted without their numbers coming back."""

import pytest
from django.core.exceptions import ValidationError

from authz.audit.actor import Actor
from authz.models import AuditEvent, Project
from intmod_site.api.errors import Conflict, NotFound, ValidationFailed
from registry.catalog.aliases import set_alias
from registry.catalog.services import (
    create_model,
    delete_model,
    model_named,
    set_task_default,
    update_model,
)
from registry.catalog.versions import create_version
from registry.models import ModelAlias, ModelVersion, RegisteredModel, TaskDefault
from tests.registry.conftest import Register


def test_a_name_stands_once_in_a_project(
    actor: Actor, project: Project, other_project: Project
) -> None:
    create_model(actor=actor, project=project, name="gpt-4", model_type="llm")
    create_model(actor=actor, project=other_project, name="gpt-4", model_type="llm")
    with pytest.raises(Conflict, match="gpt-4"):
        create_model(actor=actor, project=project, name="gpt-4", model_type="llm")
    assert RegisteredModel.objects.count() == 2


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "a@b", " a", "a ", "-a", "a" * 201])
def test_names_that_calls_could_not_write_are_refused(
    actor: Actor, project: Project, name: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        create_model(actor=actor, project=project, name=name, model_type="llm")
    assert "name" in raised.value.message_dict
    assert not RegisteredModel.objects.exists()


@pytest.mark.parametrize("tags", [{"": "x"}, {"k": 1}, {"k": "v" * 5001}, [], {"k" * 251: "v"}])
def test_odd_tags_are_refused(actor: Actor, project: Project, tags: object) -> None:
    with pytest.raises(ValidationFailed, match="tags"):
        create_model(actor=actor, project=project, name="m", model_type="llm", tags=tags)  # type: ignore[arg-type]


def test_a_change_is_recorded_with_what_differed(actor: Actor, project: Project) -> None:
    model = create_model(actor=actor, project=project, name="m", model_type="llm")
    update_model(actor=actor, model=model, changes={"description": "Better."})
    event = AuditEvent.objects.get(action="registeredmodel.update")
    assert event.changes["description"] == ["", "Better."]
    assert "name" not in event.changes


def test_numbers_are_not_given_again_after_deletion(actor: Actor, project: Project) -> None:
    fields = {"provider": "elsewhere", "provider_model": "x"}
    model = create_model(actor=actor, project=project, name="m", model_type="llm")
    for number in (1, 2):
        assert create_version(actor=actor, model=model, **fields).number == number
    delete_model(actor=actor, model=model)
    with pytest.raises(NotFound):
        model_named(project=project, name="m")
    again = create_model(actor=actor, project=project, name="m", model_type="embedding")
    assert create_version(actor=actor, model=again, **fields).number == 3


def test_deletion_takes_versions_aliases_and_defaults_along(
    actor: Actor, project: Project, register: Register
) -> None:
    version = register()
    set_alias(actor=actor, model=version.model, name="champion", version=1)
    set_task_default(actor=actor, project=project, task="chat", model=version.model)
    delete_model(actor=actor, model=version.model)
    assert not ModelVersion.objects.exists()
    assert not ModelAlias.objects.exists()
    assert not TaskDefault.objects.exists()
