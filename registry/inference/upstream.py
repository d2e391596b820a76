"""Asking one target once: in this process, or through its integration."""

from collections.abc import Callable

from integrations.connections.answers import SHORTEST_SECRET, forms_of
from integrations.connections.connection import Connection
from integrations.http.client import send
from integrations.http.errors import BodyTooLarge, Deadline, DeadlineExceeded, OutboundError
from integrations.http.messages import OutboundRequest
from integrations.http.policy import Deadlines
from intmod_site.api.errors import ServiceUnavailable, UpstreamTimeout
from intmod_site.request_context import current_request_id
from registry.catalog.resolution import Target
from registry.inference.calls import Call, ChatCall, ChatResult, Result
from registry.inference.guard import BeforeSending, answer_limit_bytes, answer_too_long
from registry.inference.metering import Stopwatch
from registry.inference.providers import ADAPTERS, IN_PROCESS
from registry.inference.providers.adapter import UpstreamRequest
from registry.inference.providers.upstream_errors import UpstreamError, transport_error
from registry.inference.structured_output import check_text

ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
FAIR_SHARE = 0.9
"""The part of its whole time that a provider must have had for being late to be its own fault."""


def ask(
    target: Target,
    call: Call,
    left_s: float,
    waiting: Stopwatch,
    *,
    before_sending: BeforeSending = lambda _: None,
) -> Result:
    """Ask a target.

    Args:
        target: Who.
        call: What.
        left_s: Seconds that the answer may take.
        waiting: Counts the time in which the provider works.
        before_sending: May refuse what is about to go out.

    Raises:
        UpstreamError: The provider failed, or could not be reached, or its text is not in the
            form that was asked for.
        ApiError: The call cannot be asked of this provider.
    """
    local = IN_PROCESS.get(target.provider)
    if local is not None:
        with waiting:
            result = local.run(call, model=target.provider_model, timeout_s=left_s)
    else:
        result = _ask_remotely(target, call, left_s, waiting, before_sending)
    if isinstance(call, ChatCall) and isinstance(result, ChatResult):
        check_text(call, result.text, result.finish_reason)
    return result


def _ask_remotely(
    target: Target, call: Call, left_s: float, waiting: Stopwatch, before_sending: BeforeSending
) -> Result:
    adapter, connection = ADAPTERS[target.provider], connection_of(target)
    request = built(target, call, stream=False)
    before_sending(request)
    limit = answer_limit_bytes(target) or ANSWER_LIMIT_BYTES
    try:
        with waiting:
            response = send(
                outbound(request, connection),
                deadlines=deadlines_within(connection, left_s),
                body_limit_bytes=min(limit, ANSWER_LIMIT_BYTES),
                egress=connection.egress,
            )
    except OutboundError as error:
        if isinstance(error, BodyTooLarge) and limit < ANSWER_LIMIT_BYTES:
            raise answer_too_long(target, limit) from None
        raise failed_try(error, connection, left_s) from error
    if not 200 <= response.status < 300:
        said = without_key(response.body, connection)
        raise adapter.classify(response.status, response.headers, said)
    try:
        return adapter.parse(response.body, call)
    except UpstreamError as error:
        said = response.body
        raise retold(error, said, connection, lambda body: adapter.parse(body, call)) from error


def built(target: Target, call: Call, *, stream: bool) -> UpstreamRequest:
    """Give what a target's provider is sent for a call.

    Raises:
        ApiError: The call cannot be asked of this provider, or its integration is gone.
    """
    return ADAPTERS[target.provider].build(
        call,
        model=target.provider_model,
        api_key=connection_of(target).api_key,
        stream=stream,
    )


def connection_of(target: Target) -> Connection:
    """Give the way to a target outside.

    Raises:
        ServiceUnavailable: Its integration is gone.
    """
    if target.connection is None:
        raise ServiceUnavailable(
            f"{target.model}:{target.number} has no integration.", code="integration_missing"
        )
    return target.connection


def without_key(refusal: bytes, connection: Connection) -> bytes:
    """Take the key out of a provider's refusal, which may quote it: callers read a part of it."""
    key = connection.api_key or ""
    if len(key) >= SHORTEST_SECRET:
        for form in forms_of(key):
            refusal = refusal.replace(form.encode(), b"[key]")
    return refusal


def retold(
    error: UpstreamError, said: bytes, connection: Connection, read: Callable[[bytes], object]
) -> UpstreamError:
    """Give an error as it reads once the key is taken out of what the provider said.

    Args:
        error: What `said` was read as.
        said: An answer, or a line of one.
        connection: Whose key it is.
        read: Reads an answer or line once more.
    """
    clean = without_key(said, connection)
    if clean == said:
        return error
    try:
        read(clean)
    except UpstreamError as again:
        if again.kind is error.kind:
            return again
    return UpstreamError(error.kind)


def deadlines_within(connection: Connection, left_s: float) -> Deadlines:
    """Give the integration's deadlines, none of them past what is left for the call."""
    deadlines = connection.deadlines
    return Deadlines(
        connect_s=deadlines.connect_s,
        first_byte_s=deadlines.first_byte_s,
        idle_s=deadlines.idle_s,
        total_s=min(deadlines.total_s, left_s),
    )


def failed_try(
    error: OutboundError, connection: Connection, left_s: float
) -> UpstreamError | UpstreamTimeout:
    """Say what a failure of the transport means for the call."""
    if (
        isinstance(error, DeadlineExceeded)
        and error.which is Deadline.TOTAL
        and left_s < connection.deadlines.total_s * FAIR_SHARE
    ):
        # Earlier tries took its time: this one says nothing about the provider's health.
        return UpstreamTimeout("The time for this call ended.", code="deadline")
    return transport_error(error.code, error.message)


def outbound(request: UpstreamRequest, connection: Connection) -> OutboundRequest:
    """Put a provider's request on its way: the integration's headers, our request id."""
    headers = {**request.headers, **connection.headers}
    if request_id := current_request_id():
        headers["x-request-id"] = request_id
    return OutboundRequest(
        method=request.method,
        url=connection.base_url + request.path,
        headers=headers,
        body=request.body,
    )
