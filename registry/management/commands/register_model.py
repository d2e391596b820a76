"""Register a model version from the shell."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from authz.audit.actor import Actor
from authz.models import Project
from integrations.models import Integration
from intmod_site.api.errors import ApiError
from registry.catalog.aliases import set_alias
from registry.catalog.versions import register_model
from registry.models import ModelVersion
from registry.tasks import MODEL_TYPES, TASKS

COMPARED = (
    "provider",
    "provider_model",
    "label",
    "tasks",
    "parameters",
    "limits",
    "prices",
    "source",
)


class Command(BaseCommand):
    """Idempotent: registering the same version again changes nothing."""

    help = "Register a version of a model, and the model if there is none of its name yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what the API takes."""
        parser.add_argument("model_name")
        parser.add_argument("--project", required=True, help="slug of the project")
        parser.add_argument("--type", dest="model_type", choices=MODEL_TYPES, default="llm")
        parser.add_argument("--provider", required=True, help="such as local")
        parser.add_argument(
            "--provider-model", required=True, help="the model's name at its provider"
        )
        parser.add_argument(
            "--integration", help="name of the integration that reaches the provider"
        )
        parser.add_argument(
            "--task",
            dest="tasks",
            action="append",
            choices=TASKS,
            default=[],
            metavar="TASK",
            help=f"what it can be called for, repeatable: {', '.join(TASKS)}",
        )
        parser.add_argument(
            "--model-id", help="the version's name of its own (default: <name>-<number>)"
        )
        parser.add_argument(
            "--label", default="", help='the version as people write it, such as "1.0"'
        )
        parser.add_argument("--source", default="")
        for name in ("parameters", "limits", "prices"):
            parser.add_argument(f"--{name}", type=_json_object, default={}, metavar="JSON")
        parser.add_argument("--alias", help="alias to point at the version")
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="one JSON object on stdout"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Register, or say that it was registered before."""
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project called {options['project']}.")
        try:
            version, created = _registered(project, options)
        except ApiError as error:
            raise CommandError(error.message) from None
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        self._tell(version, created=created, as_json=options["as_json"])

    def _tell(self, version: ModelVersion, *, created: bool, as_json: bool) -> None:
        if as_json:
            answer = {
                "model": version.model.name,
                "number": version.number,
                "model_id": version.identifier,
                "created": created,
            }
            self.stdout.write(json.dumps(answer))
        else:
            verb = "Registered" if created else "Already registered:"
            self.stdout.write(f"{verb} {version} (model_id {version.identifier})")


def _registered(project: Project, options: dict[str, Any]) -> tuple[ModelVersion, bool]:
    actor = Actor.command("register_model")
    wanted = {name: options[name] for name in COMPARED}
    with transaction.atomic():
        version = _existing(project, options, wanted)
        created = version is None
        if version is None:
            version = register_model(
                actor=actor,
                project=project,
                model_name=options["model_name"],
                model_type=options["model_type"],
                model_id=options["model_id"],
                version=wanted.pop("label"),
                integration=_integration(project, options["integration"]),
                **wanted,
            )
        if options["alias"]:
            set_alias(
                actor=actor, model=version.model, name=options["alias"], version=version.number
            )
    return version, created


def _existing(
    project: Project, options: dict[str, Any], wanted: dict[str, Any]
) -> ModelVersion | None:
    if not options["model_id"]:
        return None
    version = (
        ModelVersion.objects.in_project(project.pk)
        .existing()
        .filter(identifier=options["model_id"])
        .select_related("model__project")
        .first()
    )
    if version is None:
        return None
    differing = [
        name
        for name in COMPARED
        if _comparable(getattr(version, name)) != _comparable(wanted[name])
    ]
    if differing or version.model.name != options["model_name"]:
        raise CommandError(
            f"{version.identifier} is registered with another "
            f"{', '.join(differing) or 'model name'}; "
            "choose another --model-id for a new version."
        )
    return version


def _comparable(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def _integration(project: Project, name: str | None) -> Integration | None:
    if name is None:
        return None
    integration = Integration.objects.in_project(project.pk).filter(name=name).first()
    if integration is None:
        raise CommandError(f"There is no integration called {name} in {project}.")
    return integration


def _json_object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ArgumentTypeError("not a JSON object")
    return value
