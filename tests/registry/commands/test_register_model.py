"""manage.py register_model: once, however often it is called."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from authz.models import AuditEvent, Project
from registry.models import ModelAlias, ModelVersion

ARGUMENTS = (
    "smol", "--project", "shop", "--provider", "local", "--provider-model", "smollm2-135m-instruct",
    "--task", "chat", "--task", "generate", "--model-id", "smol-v1", "--label", "1.0",
    "--limits", '{"max_tokens": 100}', "--alias", "champion",
)  # fmt: skip


def run(*arguments: str, **options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("register_model", *arguments, "--json", stdout=out, **options)
    return dict(json.loads(out.getvalue()))


def test_it_registers_once(project: Project) -> None:
    assert run(*ARGUMENTS) == {"model": "smol", "number": 1, "model_id": "smol-v1", "created": True}
    assert run(*ARGUMENTS)["created"] is False
    version = ModelVersion.objects.get()
    assert (version.label, version.tasks, version.limits) == (
        "1.0",
        ["generate", "chat"],
        {"max_tokens": 100},
    )
    assert ModelAlias.objects.get().version == version
    assert AuditEvent.objects.filter(actor_label="manage.py register_model").exists()


def test_people_are_told_in_words(project: Project) -> None:
    out = StringIO()
    call_command("register_model", *ARGUMENTS, stdout=out)
    assert out.getvalue().strip() == "Registered smol:1 (model_id smol-v1)"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((*ARGUMENTS, "--project", "none"), "no project called none"),
        ((*ARGUMENTS, "--provider-model", "none"), "tasks"),
        ((*ARGUMENTS, "--integration", "none"), "no integration called none"),
        ((*ARGUMENTS, "--limits", '{"max_tokens": 0}'), "max_tokens"),
        ((*ARGUMENTS, "--limits", "[]"), "limits"),
        ((*ARGUMENTS, "--limits", "{"), "limits"),
        (("a/b", *ARGUMENTS[1:]), "Letters, digits"),
    ],
)
def test_what_is_wrong_is_said(project: Project, arguments: tuple[str, ...], word: str) -> None:
    with pytest.raises(CommandError, match=word):
        run(*arguments)
    assert not ModelVersion.objects.exists()


def test_another_version_under_the_same_id_is_refused(project: Project) -> None:
    run(*ARGUMENTS)
    with pytest.raises(CommandError, match="another label"):
        run(*ARGUMENTS, "--label", "2.0")
