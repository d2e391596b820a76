"""What a provider that is reached over HTTP is: pure code between our calls and its wire.

An adapter does no I/O. It says what to send and what the bytes that come back mean; sending,
trying again, falling back, breaking and metering are the gateway's, the same for every provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import orjson

from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import Call, ChatCall, Result, StreamEvent
from registry.inference.providers.upstream_errors import UpstreamError


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """A request to a provider. Headers and body stay out of `repr`: they hold secrets.

    Args:
        method: Upper case.
        path: Behind the integration's base URL, with a slash in front.
        headers: By lower-case name; the integration's own headers come on top.
        body: JSON.
    """

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class StreamParser(Protocol):
    """Reads one stream, line by line. It is of no use any more once it raised."""

    @property
    def finished(self) -> bool:
        """Whether the upstream said why the text ends; before that, an end is a cut."""
        ...

    @property
    def ended(self) -> bool:
        """Whether StreamEnd was given: nothing follows, the connection may be let go."""
        ...

    def feed(self, line: bytes) -> list[StreamEvent]:
        """Give the events of a line, often none.

        Args:
            line: Whole, without its newline.

        Raises:
            MalformedUpstream: It is not what the provider's protocol says.
            UpstreamError: It is the upstream's own error, classified; or the upstream says that
                it is done without having said why the text ends.
        """
        ...

    def end(self) -> list[StreamEvent]:
        """Give what is left when the upstream has no more lines; nothing after StreamEnd.

        Raises:
            UpstreamError: The stream was cut: no line said why the text ends.
        """
        ...


class Adapter(Protocol):
    """Speaks one provider's protocol."""

    def tasks_of(self, model: str) -> frozenset[str]:
        """Give the tasks that one of its models may be registered for."""
        ...

    def build(
        self, call: Call, *, model: str, api_key: str | None, stream: bool
    ) -> UpstreamRequest:
        """Say what to send for a call.

        Args:
            call: What is asked.
            model: The model's name at the provider.
            api_key: In plain text; None where the provider wants none.
            stream: Whether the answer shall come bit by bit; only for a ChatCall.

        Raises:
            ValidationFailed: The provider has no way to be asked this.
        """
        ...

    def parse(self, body: bytes, call: Call) -> Result:
        """Read the body of a 2xx answer.

        Raises:
            MalformedUpstream: It is not what the provider's protocol says.
            UpstreamError: It holds an error in spite of its status, or a text that is not what
                was asked for.
        """
        ...

    def stream_parser(self, call: ChatCall) -> StreamParser:
        """Give a parser for the lines of one 2xx stream."""
        ...

    def classify(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        """Say what an answer that is not 2xx means.

        Args:
            status: Of the answer.
            headers: By name in any case, or by lower-case name.
            body: As far as it was read.
        """
        ...


def refuse_fields(call: ChatCall, fields: tuple[str, ...], whose: str) -> None:
    """Refuse a call that says what a provider cannot be told, instead of leaving it out silently.

    Raises:
        ValidationFailed: Naming the first of the fields that is there.
    """
    for name in fields:
        if getattr(call, name):
            raise ValidationFailed.of(name, f"{whose} does not know it.", code="not_supported")


def json_body(value: Mapping[str, object]) -> bytes:
    """Write a request's body.

    Raises:
        ValidationFailed: It holds something that JSON's readers do not take, such as half of a
            surrogate pair or a whole number of more than 64 bits.
    """
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise ValidationFailed(f"The request cannot be sent to the provider: {error}.") from error
