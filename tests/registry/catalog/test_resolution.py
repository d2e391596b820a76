"""Which version answers what a caller wrote."""

import pytest

from authz.audit.actor import Actor
from authz.configuration.snapshot import Snapshot
from authz.models import Project
from intmod_site.api.errors import Conflict, NotFound, ValidationFailed
from registry.catalog.aliases import delete_alias, set_alias
from registry.catalog.resolution import Target, resolve
from registry.catalog.services import delete_model, set_task_default
from registry.catalog.versions import deactivate_version
from tests.registry.conftest import Register


def find(project: Project, reference: str | None, task: str = "chat") -> Target:
    """Resolve at a configuration that nothing is remembered of."""
    return resolve(snapshot=Snapshot(0), project_id=project.pk, reference=reference, task=task)


def test_a_model_id_comes_first(project: Project, register: Register) -> None:
    register("a")
    register("b", model_id="a")
    assert find(project, "a").model == "b"


def test_model_ids_may_look_like_other_references(project: Project, register: Register) -> None:
    register("a")
    register("b", model_id="a:1")
    assert find(project, "a:1").model == "b"


def test_an_alias_points_at_its_version(project: Project, register: Register, actor: Actor) -> None:
    model = register("a").model
    register("a")
    set_alias(actor=actor, model=model, name="champion", version=1)
    assert find(project, "a@champion").number == 1


def test_a_number_is_a_number(project: Project, register: Register) -> None:
    register("a")
    register("a")
    assert find(project, "a:1").number == 1


@pytest.mark.parametrize(
    "reference", ["a:0", "a:3", "a:x", "a:", "a:9999999999", "a@none", "b", "@", ":"]
)
def test_what_leads_nowhere_is_not_found(
    project: Project, register: Register, reference: str
) -> None:
    register("a")
    with pytest.raises(NotFound) as raised:
        find(project, reference)
    assert raised.value.error_code == "model_not_found"
    assert raised.value.fields[0].path == "/model"


def test_a_bare_name_means_its_alias_default(
    project: Project, register: Register, actor: Actor
) -> None:
    model = register("a").model
    register("a")
    assert find(project, "a").number == 2
    alias = set_alias(actor=actor, model=model, name="default", version=1)
    assert find(project, "a").number == 1
    delete_alias(actor=actor, alias=alias)
    assert find(project, "a").number == 2


def test_a_bare_name_passes_over_what_cannot_be_called(
    project: Project, register: Register, actor: Actor
) -> None:
    register("a")
    deactivate_version(actor=actor, version=register("a"))
    assert find(project, "a").number == 1


def test_an_inactive_version_is_a_conflict(
    project: Project, register: Register, actor: Actor
) -> None:
    deactivate_version(actor=actor, version=register("a"))
    for reference in ("a", "a:1", "a-1"):
        with pytest.raises(Conflict) as raised:
            find(project, reference)
        assert raised.value.error_code == "model_inactive"


def test_a_task_that_the_version_lacks_is_refused(project: Project, register: Register) -> None:
    register("a", tasks=["chat"])
    with pytest.raises(ValidationFailed) as raised:
        find(project, "a", task="code")
    assert raised.value.error_code == "task_not_supported"
    assert "it can chat" in raised.value.message


def test_without_a_model_the_projects_default_answers(
    project: Project, register: Register, actor: Actor
) -> None:
    with pytest.raises(ValidationFailed, match="no default model for chat"):
        find(project, None)
    set_task_default(actor=actor, project=project, task="chat", model=register("a").model)
    assert find(project, None).model == "a"


def test_another_projects_models_are_not_there(other_project: Project, register: Register) -> None:
    register("a")
    for reference in ("a", "a:1", "a-1"):
        with pytest.raises(NotFound):
            find(other_project, reference)


def test_a_deleted_model_is_not_there(project: Project, register: Register, actor: Actor) -> None:
    delete_model(actor=actor, model=register("a").model)
    with pytest.raises(NotFound):
        find(project, "a")


def test_what_was_not_found_is_remembered_too(
    project: Project, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    snapshot = Snapshot(0)

    def ask() -> None:
        with pytest.raises(NotFound):
            resolve(snapshot=snapshot, project_id=project.pk, reference="none", task="chat")

    ask()
    with django_assert_num_queries(0):  # type: ignore[operator]
        ask()
