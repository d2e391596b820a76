"""An answer while it is being made, wherever it is made."""

from typing import Protocol

from registry.inference.calls import StreamEvent


class EventSource(Protocol):
    """Events up to a StreamEnd; ask no further then."""

    def take(self, wait_s: float) -> StreamEvent | None:
        """Give the next event, or None if there is none after so many seconds.

        Raises:
            UpstreamError: The provider failed, or the answer ended without a reason.
            ApiError: The model in this process failed, or the call's time is over.
        """
        ...

    def close(self) -> None:
        """Stop the making of what nobody waits for; closing twice is fine."""
        ...
