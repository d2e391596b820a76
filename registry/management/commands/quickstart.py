"""From a fresh clone to six real answers."""

import json
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, OutputWrapper

from registry.inference.local_models.installation import (
    InstallationFailed,
    install_local_models,
    missing_packages,
)
from registry.quickstart import report
from registry.quickstart.calls import CallReport, ask_all
from registry.quickstart.demo import Demo, prepare
from registry.quickstart.questions import QUESTIONS
from registry.quickstart.server import (
    ServerFailed,
    running_server,
    running_worker,
    worker_log,
)

HOST = "127.0.0.1"
WATCH_S = 0.5


class Command(BaseCommand):
    """Sets up what is missing, starts the server, asks it six questions, keeps serving."""

    help = "Set up a demo, start the server and make one real call of each AI endpoint."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where to serve and when to stop."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--check",
            action="store_true",
            help="stop after the calls; exit code 0 if all six answered",
        )
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="one JSON object on stdout"
        )
        parser.add_argument(
            "--no-local-models", action="store_true", help="do not install the local models"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the steps."""
        if settings.PRODUCTION:
            raise CommandError(
                "quickstart makes a demo; in production run migrate and serve (see deploy/)."
            )
        # People read stderr when stdout is for a program.
        people = OutputWrapper(sys.stderr) if options["as_json"] else self.stdout
        if not options["no_local_models"]:
            self._install_models(people)
        people.write("Preparing the database, the demo project and its models …")
        demo = prepare()
        base_url = f"http://{HOST}:{options['port']}"
        signal.signal(signal.SIGTERM, _stop)
        calls: list[CallReport] = []
        try:
            with (
                running_worker() as worker,
                running_server(host=HOST, port=options["port"]) as server,
            ):
                calls = self._ask(base_url, demo, people)
                if options["as_json"]:
                    self.stdout.write(json.dumps(report.as_json(base_url, demo, calls)))
                    self.stdout.flush()
                people.write(report.addresses(base_url, demo))
                if not options["check"]:
                    people.write("Serving; stop with Ctrl-C.")
                    _wait(server, worker, people)
        except ServerFailed as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            people.write("\nStopped.")
        if options["check"] and not _all_answered(calls):
            raise SystemExit(1)

    @staticmethod
    def _install_models(people: Any) -> None:
        if not missing_packages():
            return
        people.write("Installing the local models (once) …")
        try:
            install_local_models()
        except InstallationFailed as error:
            raise CommandError(str(error)) from None

    @staticmethod
    def _ask(base_url: str, demo: Demo, people: Any) -> list[CallReport]:
        people.write(f"The server is up at {base_url}; asking it six questions:\n")
        calls = []
        for call in ask_all(base_url, demo.api_key):
            calls.append(call)
            people.write(report.one_call(call))
        return calls


def _all_answered(calls: list[CallReport]) -> bool:
    return len(calls) == len(QUESTIONS) and all(call.status == 200 for call in calls)


def _wait(server: subprocess.Popen[bytes], worker: subprocess.Popen[bytes], people: Any) -> None:
    """Wait for the server's end; tell if the worker ends before."""
    told = False
    while server.poll() is None:
        if not told and worker.poll() is not None:
            told = True
            people.write(
                "The worker ended by itself: no job, no webhook and nothing periodic is done any "
                f"more. Its log is {worker_log()}."
            )
        time.sleep(WATCH_S)


def _stop(*_: Any) -> NoReturn:
    raise KeyboardInterrupt
