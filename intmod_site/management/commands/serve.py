"""Serve the site."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from intmod_site.server import server_command, server_environment

DEFAULT_THREADS = 64


class Command(BaseCommand):
    """Replaces this process by the web server."""

    # The server's processes load the site themselves; checking it here would double the start.
    requires_system_checks: list[str] = []
    help = "Serve the API and the admin with granian, in development and production alike."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where to listen and how much to do at once."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1, help="processes (default: 1)")
        parser.add_argument(
            "--threads",
            type=int,
            default=DEFAULT_THREADS,
            help="requests that each process answers at once; an eighth is kept back from calls of "
            f"models, unless AI_CALLS_AT_ONCE says otherwise (default: {DEFAULT_THREADS})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Start; does not return."""
        command = server_command(
            host=options["host"],
            port=options["port"],
            workers=options["workers"],
            threads=options["threads"],
        )
        os.execve(command[0], command, server_environment(threads=options["threads"]))  # noqa: S606 -- our own command line
