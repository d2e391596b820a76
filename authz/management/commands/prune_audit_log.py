"""Delete exported events from the audit log."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from authz.audit.actor import Actor
from authz.audit.prune import NotExported, delete_marked, mark_exported
from authz.audit.verify import verify


class Command(BaseCommand):
    """Deletes sealed events that an export holds; their seals stay."""

    help = "Delete sealed events up to a sequence number that an export holds."

    def add_arguments(self, parser: Any) -> None:
        """Take how far, and the export."""
        parser.add_argument("--through", type=int, required=True, metavar="SEQ")
        parser.add_argument(
            "--export", type=Path, required=True, metavar="FILE",
            help="Of export_audit_log --format ndjson; each event is looked for in it.",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, mark, delete."""
        report = verify()
        if not report.is_intact:
            raise CommandError(
                f"The audit log is not intact ({report.problems[0].message}); nothing was deleted."
            )
        try:
            marker = mark_exported(
                actor=Actor.command("prune_audit_log"),
                through_seq=options["through"],
                export=options["export"],
            )
        except (NotExported, OSError) as error:
            raise CommandError(f"{error} Nothing was deleted.") from error
        deleted = 0
        with tqdm(total=marker.through_seq, unit="event", disable=None) as bar:
            for count in delete_marked():
                deleted += count
                bar.update(count)
        self.stdout.write(
            f"Deleted {deleted} events up to sequence {marker.through_seq}; the file's SHA-256 is "
            f"{marker.export_sha256}."
        )
