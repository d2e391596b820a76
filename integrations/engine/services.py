"""What a worker runs beside jobs, each in threads of its own; named in WORKER_SERVICES."""

from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class WorkerOptions:
    """What the services are told of how the worker was started.

    Args:
        webhook_threads: Deliveries that are attempted at once.
    """

    webhook_threads: int = 16


class Service(Protocol):
    """Made with the worker's options."""

    def start(self) -> None:
        """Begin, and return."""

    def stop(self) -> None:
        """End soon: what is under way is finished, nothing more is begun."""

    def join(self) -> None:
        """Wait for the end."""


def make_services(options: WorkerOptions) -> list[Service]:
    """Make all of them."""
    return [import_string(path)(options) for path in settings.WORKER_SERVICES.values()]
