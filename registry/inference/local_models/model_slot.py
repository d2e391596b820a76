"""The place where one model lives: loaded once per process, used by one thread at a time."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from intmod_site.api.errors import ServiceUnavailable, TooManyRequests
from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.package_files import not_installed

Model = TypeVar("Model")

DEFAULT_MAX_WAITING = 8
RETRY_AFTER_S = 1.0


class ModelSlot(Generic[Model]):
    """Gives a model to one caller at a time; a bounded number of others may wait.

    One at a time, because runtimes differ: some abort the process when two threads enter them,
    and the others use all cores for one call anyway.

    The model is loaded by the first caller. A forked child starts with an empty slot: threads of
    the parent's runtime do not exist there, and a lock that one of them held would never open.

    Args:
        name: The model's name, for messages.
        load: Makes the model; may raise ImportError or FileNotFoundError if it is not installed.
        max_waiting: Callers that may wait while another one uses the model.
    """

    def __init__(
        self, name: str, load: Callable[[], Model], *, max_waiting: int = DEFAULT_MAX_WAITING
    ) -> None:
        self.name = name
        self.max_waiting = max_waiting
        self._load = load
        self._start_empty()
        os.register_at_fork(after_in_child=self._start_over_in_child)

    def _start_empty(self) -> None:
        self._model: Model | None = None
        self._in_use = threading.Lock()
        self._counting = threading.Lock()
        self._callers = 0

    def _start_over_in_child(self) -> None:
        # Kept, never used: taking a runtime apart may wait for threads that are not here. Its
        # memory is shared with the parent, so it costs nothing.
        self._of_the_parent = self._model
        self._start_empty()

    @property
    def is_loaded(self) -> bool:
        """Whether this process has loaded the model."""
        return self._model is not None

    @contextmanager
    def use(self, deadline: Deadline) -> Iterator[Model]:
        """Have the model to oneself for the length of a with block.

        Raises:
            TooManyRequests: Too many are waiting already.
            ServiceUnavailable: The model was in use until the deadline, or is not installed.
        """
        self._join()
        try:
            if not self._in_use.acquire(timeout=deadline.remaining_s):
                raise ServiceUnavailable(
                    f"The local model {self.name} was busy for {deadline.timeout_s:g} seconds.",
                    code="local_model_busy",
                    retry_after_s=RETRY_AFTER_S,
                )
            try:
                yield self._loaded()
            finally:
                self._in_use.release()
        finally:
            self._leave()

    def _join(self) -> None:
        with self._counting:
            if self._callers > self.max_waiting:
                raise TooManyRequests(
                    f"{self.max_waiting} calls are waiting for the local model {self.name}.",
                    code="local_model_queue_full",
                    retry_after_s=RETRY_AFTER_S,
                )
            self._callers += 1

    def _leave(self) -> None:
        with self._counting:
            self._callers -= 1

    def _loaded(self) -> Model:
        if self._model is None:
            try:
                self._model = self._load()
            except (ImportError, FileNotFoundError) as error:
                raise not_installed(self.name, error) from error
        return self._model
