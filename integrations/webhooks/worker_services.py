"""Delivering and handing on, as services of a worker."""

import threading

from integrations.engine.services import WorkerOptions
from integrations.webhooks.dispatcher import Dispatcher
from integrations.webhooks.inbound.hander import Hander


class Delivering:
    """Attempts deliveries that are due."""

    def __init__(self, options: WorkerOptions) -> None:
        self._dispatcher = Dispatcher(threads=options.webhook_threads)
        self._thread = threading.Thread(target=self._dispatcher.run, name="webhooks-dispatcher")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon: attempts under way are finished."""
        self._dispatcher.stop()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()


class HandingOn(Hander):
    """Hands received events on."""

    def __init__(self, options: WorkerOptions) -> None:
        super().__init__()
