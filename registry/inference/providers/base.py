"""What a provider is to the call path."""

from typing import Protocol

from registry.inference.calls import Call, ChatCall, Result
from registry.inference.providers.event_source import EventSource


class Provider(Protocol):
    """Answers calls by one kind of service."""

    def tasks_of(self, model: str) -> frozenset[str]:
        """Give the tasks that one of its models can do; empty for an unknown model."""
        ...

    def run(self, call: Call, *, model: str, timeout_s: float) -> Result:
        """Answer a call.

        Args:
            call: What is asked.
            model: The model's name at the provider.
            timeout_s: Seconds that the answer may take in all.

        Raises:
            ApiError: It cannot be answered; the class says whose fault it is.
        """
        ...

    def stream(self, call: ChatCall, *, model: str, timeout_s: float) -> EventSource:
        """Answer a call in pieces; as `run`."""
        ...
