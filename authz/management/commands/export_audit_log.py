"""Export the audit log."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from authz.audit.export import FORMATS, exported, write_csv, write_ndjson
from authz.models import Project


class Command(BaseCommand):
    """Writes events, oldest first, as lines of JSON or as a table."""

    help = "Export audit events to stdout or a file."

    def add_arguments(self, parser: Any) -> None:
        """Take what to export, and how."""
        parser.add_argument("--since", type=_moment, metavar="MOMENT", help="ISO 8601, UTC.")
        parser.add_argument("--until", type=_moment, metavar="MOMENT", help="Before this moment.")
        parser.add_argument("--project", metavar="SLUG", help="Only of this project.")
        parser.add_argument("--format", choices=FORMATS, default="ndjson")
        parser.add_argument("--output", type=Path, metavar="FILE", help="Instead of stdout.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export."""
        project_id = None
        if options["project"]:
            project_id = (
                Project.objects.filter(slug=options["project"]).values_list("pk", flat=True).first()
            )
            if project_id is None:
                raise CommandError(f"There is no project called {options['project']}.")
        events = exported(since=options["since"], until=options["until"], project_id=project_id)
        write = write_csv if options["format"] == "csv" else write_ndjson
        path = options["output"]
        if path is None:
            for _ in write(events, self.stdout):
                pass
            return
        with (
            path.open("w", encoding="utf-8", newline="") as out,
            tqdm(unit="event", disable=None) as bar,
        ):
            for count in write(events, out):
                bar.update(count)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
