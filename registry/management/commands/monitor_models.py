"""Sum measurements up, evaluate thresholds, clean up."""

import json
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from registry.monitoring.jobs import run_all


class Command(BaseCommand):
    """Once for a scheduler of your own; with --every as a worker that runs until it is stopped."""

    help = "Run the periodic work of monitoring, once or every so many seconds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how often."""
        parser.add_argument("--every", type=float, metavar="SECONDS", help="go on until stopped")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and tell what was done."""
        stopped = threading.Event()
        if options["every"]:
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, lambda *_: stopped.set())
        while True:
            self.stdout.write(json.dumps(run_all()))
            if not options["every"] or stopped.wait(options["every"]):
                return
