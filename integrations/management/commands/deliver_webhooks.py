"""manage.py deliver_webhooks: delivers and hands on what is due, until it is told to end."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.webhooks.dispatcher import Dispatcher, keep_house
from integrations.webhooks.inbound.hander import Hander
from integrations.webhooks.inbound.handing_on import hand_on_due

MOST_THREADS = 256


class Command(BaseCommand):
    """Delivers webhooks in one process; any number of them may run."""

    help = (
        "Deliver webhook messages, hand received events on; SIGTERM finishes what is under way, "
        "--once ends by itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --once and --threads."""
        parser.add_argument("--once", action="store_true", help="End when nothing is due.")
        parser.add_argument("--threads", type=int, default=16, help="Attempts made at once (16).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Deliver."""
        if not 0 < options["threads"] <= MOST_THREADS:
            raise CommandError(f"--threads takes 1 to {MOST_THREADS}.")
        dispatcher, hander = Dispatcher(threads=options["threads"]), Hander()

        def stop(*_: Any) -> None:
            dispatcher.stop()
            hander.stop()

        if options["once"]:
            # First: what is handed on may be published.
            while hand_on_due():
                pass
            keep_house()
        else:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, stop)
            hander.start()
            self.stdout.write("Delivering webhooks; SIGTERM finishes what is under way.")
            self.stdout.flush()
        try:
            dispatcher.run(once=options["once"])
        finally:
            if not options["once"]:
                hander.stop()
                hander.join()
