"""Seal the audit log and sign its head."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from authz.audit.seal import (
    seal_in_batches,
    seal_periodically,
    unsealed_events,
    write_checkpoint,
)


class Command(BaseCommand):
    """Seals every committed event and signs a checkpoint; several at once do no harm."""

    help = "Seal committed audit events into the hash chain, and sign a checkpoint."

    def add_arguments(self, parser: Any) -> None:
        """Take a file for the checkpoint."""
        parser.add_argument(
            "--checkpoint", type=Path, metavar="FILE",
            help="Write the signed checkpoint here; keep it where this database's administrators "
            "cannot change it.",
        )  # fmt: skip

        parser.add_argument(
            "--every", type=float, metavar="SECONDS",
            help="Go on until stopped; a checkpoint is signed once an hour.",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal, once or until stopped."""
        stopped = threading.Event()
        if options["every"]:
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, lambda *_: stopped.set())
        self._seal_once(options["checkpoint"])
        while options["every"] and not stopped.wait(options["every"]):
            seal_periodically()

    def _seal_once(self, file: Path | None) -> None:
        sealed = 0
        with tqdm(total=unsealed_events().count(), unit="event", disable=None) as bar:
            for count in seal_in_batches():
                sealed += count
                bar.update(count)
        checkpoint = write_checkpoint()
        if file is not None:
            file.write_text(json.dumps(checkpoint.as_dict(), indent=2) + "\n", encoding="utf-8")
        self.stdout.write(
            f"Sealed {sealed} events; the chain ends at sequence {checkpoint.seq} "
            f"with {checkpoint.chain_hash[:16]}."
        )
