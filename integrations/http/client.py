"""Calling out: `send` for whole answers, `open_stream` for those that come bit by bit.

Every call goes through the guard, is bound by all its deadlines, follows no redirect, uses no
proxy of the environment and is made once: trying again is the caller's decision.
"""

from time import monotonic

from integrations.http.countdown import Countdown
from integrations.http.exchange import Exchange
from integrations.http.guard import parse_url
from integrations.http.messages import OutboundRequest, OutboundResponse
from integrations.http.policy import Deadlines, EgressPolicy
from integrations.http.pool import Pools
from integrations.http.steps import Steps, done
from integrations.http.stream import OutboundStream

PUBLIC_ONLY = EgressPolicy()

_LINE_LIMIT_BYTES = 1 << 20


class HttpClient:
    """Sends requests over connections that it keeps; share one between all threads.

    Args:
        pools: The connections; their settings and the resolver are given there.
    """

    def __init__(self, pools: Pools | None = None) -> None:
        self._pools = pools or Pools()

    def send(
        self,
        request: OutboundRequest,
        *,
        deadlines: Deadlines,
        body_limit_bytes: int,
        egress: EgressPolicy = PUBLIC_ONLY,
    ) -> OutboundResponse:
        """Make one request and give the whole answer, whatever its status.

        Args:
            request: What to send.
            deadlines: How long it may take.
            body_limit_bytes: The longest body to take, counted after decoding.
            egress: Where it may go.

        Raises:
            OutboundError: There is no complete answer; the class and its code say why.
        """
        started_at = monotonic()
        countdown = Countdown(deadlines)
        exchange, target = self._exchange(request, countdown, egress)
        try:
            status, headers = exchange.open(request, target)
            body = exchange.read_all(body_limit_bytes)
        finally:
            exchange.release()
        return OutboundResponse(status, headers, body, (monotonic() - started_at) * 1000)

    def open_stream(
        self,
        request: OutboundRequest,
        *,
        deadlines: Deadlines,
        egress: EgressPolicy = PUBLIC_ONLY,
        line_limit_bytes: int = _LINE_LIMIT_BYTES,
    ) -> OutboundStream:
        """Make one request and give the answer once its head is there, for use with `with`.

        Args:
            request: What to send.
            deadlines: How long it may take; the total runs until the stream is closed.
            egress: Where it may go.
            line_limit_bytes: The longest line to take.

        Raises:
            OutboundError: There is no answer; the class and its code say why.
        """
        steps = self.opening_stream(
            request, deadlines=deadlines, egress=egress, line_limit_bytes=line_limit_bytes
        )
        return done(steps)

    def opening_stream(
        self,
        request: OutboundRequest,
        *,
        deadlines: Deadlines,
        egress: EgressPolicy = PUBLIC_ONLY,
        line_limit_bytes: int = _LINE_LIMIT_BYTES,
        step_s: float = 60.0,
    ) -> Steps[OutboundStream]:
        """Do as `open_stream` does in steps, so that it can be given up meanwhile by closing it.

        Args:
            request, deadlines, egress, line_limit_bytes: As `open_stream`.
            step_s: How long a step waits for the head at most.
        """
        countdown = Countdown(deadlines)
        exchange, target = self._exchange(request, countdown, egress)
        try:
            exchange.begin(request, target)
            while not exchange.wait_for_head(step_s):
                yield
            status, headers = exchange.head(request.method)
        except BaseException:
            exchange.release()
            raise
        return OutboundStream(
            status,
            headers,
            exchange=exchange,
            countdown=countdown,
            line_limit_bytes=line_limit_bytes,
        )

    def close(self) -> None:
        """Close the idle connections; later calls open new ones."""
        self._pools.close()

    def _exchange(
        self, request: OutboundRequest, countdown: Countdown, egress: EgressPolicy
    ) -> tuple[Exchange, str]:
        origin, target = parse_url(request.url)
        return Exchange(self._pools.pool_for(origin, egress, countdown), countdown), target


_client = HttpClient()

send = _client.send
open_stream = _client.open_stream
opening_stream = _client.opening_stream
