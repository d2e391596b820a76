"""manage.py deliver_webhooks: delivers what is due, until it is told to end."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.webhooks.dispatcher import Dispatcher, keep_house

MOST_THREADS = 256


class Command(BaseCommand):
    """Delivers webhooks in one process; any number of them may run."""

    help = "Deliver webhook messages; SIGTERM finishes what is under way, --once ends by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --once and --threads."""
        parser.add_argument("--once", action="store_true", help="End when nothing is due.")
        parser.add_argument("--threads", type=int, default=16, help="Attempts made at once (16).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Deliver."""
        if not 0 < options["threads"] <= MOST_THREADS:
            raise CommandError(f"--threads takes 1 to {MOST_THREADS}.")
        dispatcher = Dispatcher(threads=options["threads"])
        if options["once"]:
            keep_house()
        else:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: dispatcher.stop())
        dispatcher.run(once=options["once"])
