"""manage.py deliver_webhooks: delivers what is due, until it is told to end."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.webhooks.audit_feed import publish_audit_events
from integrations.webhooks.due import deliver_due, release_held

POLL_S = 0.2


class Command(BaseCommand):
    """Delivers webhooks in one process."""

    help = "Deliver webhook messages that are due; ends on SIGTERM, or with --once when none is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --once."""
        parser.add_argument("--once", action="store_true", help="End when nothing is due.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Deliver."""
        over = threading.Event()
        if not options["once"]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: over.set())
        while not over.is_set():
            publish_audit_events()
            release_held()
            sent = deliver_due(until=over.is_set)
            if not sent:
                if options["once"]:
                    return
                over.wait(POLL_S)
