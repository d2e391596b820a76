"""Take over the registry of a running MLflow server."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from intmod_site.api.errors import ApiError
from registry.catalog.transfer.from_mlflow import read_mlflow
from registry.management.commands.import_models import add_target, take_over


class Command(BaseCommand):
    """Numbers with their gaps, moments, tags, aliases and stages come along."""

    help = "Create the models and versions that an MLflow server has and the project has not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a server and where to."""
        parser.add_argument("base_url", help="such as https://mlflow.example.com")
        add_target(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Read the server's registry and take it over."""
        try:
            manifest = read_mlflow(
                options["base_url"],
                token=os.environ.get("MLFLOW_TRACKING_TOKEN", ""),
                seen=lambda pages: tqdm(pages, unit="page", file=sys.stderr, disable=None),
            )
        except ApiError as error:
            raise CommandError(error.message) from None
        except (KeyError, TypeError, ValueError) as error:
            raise CommandError(f"The server does not answer as MLflow does: {error!r}") from None
        take_over(self, "import_mlflow", manifest, options)
