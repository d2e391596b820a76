"""Take over a manifest of models."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from authz.audit.actor import Actor
from authz.models import Project
from intmod_site.api.errors import ApiError
from registry.catalog.transfer.importing import Imported, import_manifest


class Command(BaseCommand):
    """All of it or nothing; importing once more changes nothing."""

    help = "Create the models, versions and aliases of a manifest that the project has not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a manifest and where to."""
        parser.add_argument("manifest", type=Path, help="YAML or JSON, as export_models writes it")
        add_target(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Read it and take it over."""
        try:
            text = options["manifest"].read_text(encoding="utf-8")
            manifest = yaml.safe_load(text)  # JSON is YAML
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise CommandError(f"{options['manifest']} cannot be read: {error}") from None
        take_over(self, "import_models", manifest, options)


def add_target(parser: ArgumentParser) -> None:
    """Add what every import asks for."""
    parser.add_argument("--project", required=True, help="slug of the project")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")


def take_over(command: BaseCommand, name: str, manifest: Any, options: dict[str, Any]) -> Imported:
    """Import a manifest, and tell what was done.

    Raises:
        CommandError: It cannot be; nothing was changed.
    """
    project = Project.objects.filter(slug=options["project"]).first()
    if project is None:
        raise CommandError(f"There is no project called {options['project']}.")
    try:
        done = import_manifest(
            actor=Actor.command(name),
            project=project,
            manifest=manifest,
            dry_run=options["dry_run"],
            seen=lambda rows: tqdm(rows, unit="model", file=sys.stderr, disable=None),
        )
    except ApiError as error:
        raise CommandError(f"{error.message} Nothing was changed.") from None
    verb = "Would create" if options["dry_run"] else "Created"
    for what in done.created:
        command.stdout.write(f"{verb} {what}")
    command.stdout.write(f"{verb} {len(done.created)}, unchanged {len(done.unchanged)}")
    return done
