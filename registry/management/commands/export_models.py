"""Write the models of a project as a manifest."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from authz.models import Project
from registry.catalog.transfer.manifest import dump_manifest, export_manifest


class Command(BaseCommand):
    """The manifest has no ids and no secrets; importing it elsewhere gives the same again."""

    help = "Write a project's models, versions and aliases as YAML or JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a project, and what of it."""
        parser.add_argument("names", nargs="*", help="only these models")
        parser.add_argument("--project", required=True, help="slug of the project")
        parser.add_argument("--output", type=Path, help="a file; stdout by default")
        parser.add_argument("--format", choices=["yaml", "json"], default="yaml")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project called {options['project']}.")
        manifest = export_manifest(
            project,
            names=options["names"],
            seen=lambda rows: tqdm(rows, unit="model", file=sys.stderr, disable=None),
        )
        text = dump_manifest(manifest, as_json=options["format"] == "json")
        if options["output"]:
            options["output"].write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")
