"""Verify the audit log."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from authz.audit.chain import Checkpoint
from authz.audit.verify import Problem, verify
from authz.models import AuditSeal


class Command(BaseCommand):
    """Holds every event against its code, its seal and the chain; exit code 1 if one is bad."""

    help = "Verify the audit log; names the first bad sequence number and exits with 1."

    def add_arguments(self, parser: Any) -> None:
        """Take an exported checkpoint, and how much to verify."""
        parser.add_argument(
            "--checkpoint", type=Path, metavar="FILE",
            help="A checkpoint of seal_audit_log --checkpoint: shows whether a tail was cut.",
        )  # fmt: skip
        parser.add_argument(
            "--last", type=int, metavar="COUNT", help="Verify only the newest seals."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify."""
        checkpoint = self._read(options["checkpoint"]) if options["checkpoint"] else None
        with tqdm(total=AuditSeal.objects.count(), unit="seal", disable=None) as bar:
            report = verify(checkpoint=checkpoint, last=options["last"], progress=bar.update)
        for problem in report.problems:
            self.stdout.write(_shown(problem))
        counted = (
            f"{report.event_count} sealed events ({report.first_seq} to {report.last_seq}), "
            f"{report.pruned_count} pruned or missing, {report.unsealed_count} not sealed yet"
        )
        if not report.is_intact:
            first = next((p.seq for p in report.problems if p.seq is not None), None)
            where = f"the first at sequence {first}" if first else "none of them in the chain"
            raise CommandError(f"The audit log is not intact: {where}. {counted}.", returncode=1)
        self.stdout.write(f"The audit log is intact: {counted}.")

    @staticmethod
    def _read(path: Path) -> Checkpoint:
        try:
            return Checkpoint.read(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: {error}", returncode=2) from error


def _shown(problem: Problem) -> str:
    where = "-" if problem.seq is None else str(problem.seq)
    return f"sequence {where}: {problem.kind}: {problem.message}"
