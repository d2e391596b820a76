"""Asking one target once: in this process, or through its integration."""

from dataclasses import replace

from integrations.connections.connection import Connection
from integrations.http.client import send
from integrations.http.errors import Deadline, DeadlineExceeded, OutboundError
from integrations.http.messages import OutboundRequest
from intmod_site.api.errors import ServiceUnavailable, UpstreamTimeout
from intmod_site.request_context import current_request_id
from registry.catalog.resolution import Target
from registry.inference.calls import Call, Result
from registry.inference.providers import ADAPTERS, IN_PROCESS
from registry.inference.providers.adapter import UpstreamRequest
from registry.inference.providers.upstream_errors import transport_error

ANSWER_LIMIT_BYTES = 64 * 1024 * 1024


def ask(target: Target, call: Call, left_s: float) -> Result:
    """Ask a target.

    Args:
        target: Who.
        call: What.
        left_s: Seconds that the answer may take.

    Raises:
        UpstreamError: The provider failed, or could not be reached.
        ApiError: The call cannot be asked of this provider.
    """
    local = IN_PROCESS.get(target.provider)
    if local is not None:
        return local.run(call, model=target.provider_model, timeout_s=left_s)
    adapter = ADAPTERS[target.provider]
    connection = target.connection
    if connection is None:
        raise ServiceUnavailable(
            f"{target.model}:{target.number} has no integration.", code="integration_missing"
        )
    request = adapter.build(
        call, model=target.provider_model, api_key=connection.api_key, stream=False
    )
    try:
        response = send(
            outbound(request, connection),
            deadlines=replace(
                connection.deadlines, total_s=min(connection.deadlines.total_s, left_s)
            ),
            body_limit_bytes=ANSWER_LIMIT_BYTES,
            egress=connection.egress,
        )
    except DeadlineExceeded as error:
        if error.which is Deadline.TOTAL and left_s < connection.deadlines.total_s:
            # Earlier tries took its time: this one says nothing about the provider's health.
            raise UpstreamTimeout("The time for this call ended.", code="deadline") from error
        raise transport_error(error.code, error.message) from error
    except OutboundError as error:
        raise transport_error(error.code, error.message) from error
    if not 200 <= response.status < 300:
        raise adapter.classify(response.status, response.headers, response.body)
    return adapter.parse(response.body, call)


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
