"""Connections that go to a judged address while the host's name stays on everything else.

`.host` keeps the name, so the Host header, the TLS server name and the certificate check are
those of the URL. Only `_new_conn`, urllib3's one place that opens sockets, is ours.
"""

import socket
import ssl
from ipaddress import ip_address
from typing import Any

import urllib3.connection

from integrations.http.countdown import Countdown
from integrations.http.errors import (
    BlockedDestination,
    ConnectFailed,
    OutboundError,
    TlsFailed,
)
from integrations.http.guard import PinnedOrigin
from integrations.http.wire import DeadlineSocket


class _Pinned(urllib3.connection.HTTPConnection):
    """Mixed into urllib3's two connection classes.

    Args:
        pinned: Where to connect.
        options: What the urllib3 class takes besides host and port.
    """

    sock: Any
    _countdown: Countdown

    def __init__(self, pinned: PinnedOrigin, **options: Any) -> None:
        super().__init__(pinned.origin.host, pinned.origin.port, **options)
        self._pinned = pinned
        self.idle_since = 0.0

    def begin(self, countdown: Countdown) -> DeadlineSocket:
        """Connect if there is no connection yet, and put this call's deadlines on it.

        Raises:
            BlockedDestination: The socket ended up at another address than the judged one.
            ConnectFailed: No address took the connection.
            TlsFailed: The certificate is not valid for the host, or the handshake failed.
            DeadlineExceeded: One of `connect_timeout`, `total_timeout`.
        """
        if self.is_closed:
            self._countdown = countdown
            try:
                self.connect()
                self.sock = DeadlineSocket(self.sock, countdown)
            except BaseException as error:
                self.close()
                if isinstance(error, (OSError, ValueError)):
                    raise self._translated(error) from error
                raise
        sock: DeadlineSocket = self.sock
        sock.countdown = countdown
        return sock

    @property
    def is_connected(self) -> bool:
        """Whether an idle connection is still good: nothing has come, not even its end."""
        return self.sock is not None and not self.sock.has_bytes()

    def _new_conn(self) -> socket.socket:
        """Try the addresses in order; each gets its share of the time that is left."""
        countdown = self._countdown
        failure: OSError | None = None
        for position, address in enumerate(self._pinned.addresses):
            share_s = countdown.left_s() / (len(self._pinned.addresses) - position)
            try:
                sock = self._open(address, share_s)
            except OSError as error:
                failure = error
                continue
            # What is left is for the TLS handshake; Python counts it over the whole handshake.
            sock.settimeout(countdown.left_s())
            return sock
        raise failure or OSError("no address")

    def _open(self, address: str, timeout_s: float) -> socket.socket:
        sock = socket.socket(
            socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM
        )
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(timeout_s)
            sock.connect((address, self.port))
            self._check_peer(sock, address)
        except BaseException:
            sock.close()
            raise
        return sock

    def _check_peer(self, sock: socket.socket, address: str) -> None:
        if ip_address(sock.getpeername()[0]) != ip_address(address):
            raise BlockedDestination(
                f"The connection to {self._pinned.origin} ended up at another address."
            )

    def _translated(self, error: OSError | ValueError) -> OutboundError:
        origin = self._pinned.origin
        if isinstance(error, ssl.SSLCertVerificationError):
            return TlsFailed(f"{origin} has no valid certificate: {error.verify_message}")
        if isinstance(error, TimeoutError):
            return self._countdown.exceeded()
        # A peer that hangs up in the handshake is a failed connection, not a bad certificate.
        if isinstance(error, (ssl.SSLError, ValueError)) and not isinstance(
            error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)
        ):
            return TlsFailed(f"The TLS handshake with {origin} failed.")
        return ConnectFailed(f"{origin} did not take the connection.")


class PinnedHTTPConnection(_Pinned):
    """A plain connection."""


class PinnedHTTPSConnection(_Pinned, urllib3.connection.HTTPSConnection):
    """A TLS connection; takes urllib3's `ssl_context` besides."""
