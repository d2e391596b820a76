"""Check models against their thresholds."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authz.models import Project
from intmod_site.api.envelope import dump
from registry.models import ModelVersion
from registry.monitoring.alerting.checks import check


class Command(BaseCommand):
    """Exits with 1 when a threshold is breached, so that a pipeline stops."""

    help = "Check the active versions of a project; exit with 1 on violations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a project, and what of it."""
        parser.add_argument("names", nargs="*", help="only these models")
        parser.add_argument("--project", required=True, help="slug of the project")
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="one JSON array on stdout"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and tell."""
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project called {options['project']}.", returncode=2)
        versions = ModelVersion.objects.callable().in_project(project.pk)
        if options["names"]:
            versions = versions.filter(model__name__in=options["names"])
            missing = set(options["names"]) - {
                row.model.name for row in versions.select_related("model")
            }
            if missing:
                raise CommandError(f"There is no active version of {min(missing)}.", returncode=2)
        versions = versions.select_related("model", "project").order_by("model__name", "number")
        answers = [check(version) for version in versions]
        if options["as_json"]:
            self.stdout.write(json.dumps(json.loads(dump(answers))))
        else:
            for answer in answers:
                self._tell(answer)
        bad = sum(not answer["is_performing_well"] for answer in answers)
        if bad:
            raise CommandError(f"{bad} of {len(answers)} versions breach a threshold.")

    def _tell(self, answer: dict[str, Any]) -> None:
        if answer["is_performing_well"]:
            self.stdout.write(f"{answer['model_id']}: well")
        for found in answer["violations"]:
            self.stdout.write(
                f"{answer['model_id']}: {found['metric']} is {found['current']:g},"
                f" {found['severity']} is {found['comparator']} {found['threshold']:g}"
            )
