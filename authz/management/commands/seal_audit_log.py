"""Seal the audit log and sign its head."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from authz.audit.seal import seal_in_batches, unsealed_events, write_checkpoint


class Command(BaseCommand):
    """Seals every committed event and signs a checkpoint; safe to run at any time."""

    help = "Seal committed audit events into the hash chain, and sign a checkpoint."

    def add_arguments(self, parser: Any) -> None:
        """Take a file for the checkpoint."""
        parser.add_argument(
            "--checkpoint", type=Path, metavar="FILE",
            help="Write the signed checkpoint here; keep it where this database's administrators "
            "cannot change it.",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal."""
        sealed = 0
        with tqdm(total=unsealed_events().count(), unit="event", disable=None) as bar:
            for count in seal_in_batches():
                sealed += count
                bar.update(count)
        checkpoint = write_checkpoint()
        if options["checkpoint"]:
            text = json.dumps(checkpoint.as_dict(), indent=2) + "\n"
            options["checkpoint"].write_text(text, encoding="utf-8")
        self.stdout.write(
            f"Sealed {sealed} events; the chain ends at sequence {checkpoint.seq} "
            f"with {checkpoint.chain_hash[:16]}."
        )
