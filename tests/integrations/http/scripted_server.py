"""A server of raw sockets on loopback that does exactly what a test's script says."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Self

TICK_S = 0.05


class Peer:
    """One accepted connection, for the script."""

    def __init__(self, sock: socket.socket, server: "ScriptedServer") -> None:
        self.sock = sock
        self.server = server
        self._buffer = b""

    def request(self) -> bytes:
        """Read one request, head and body; empty when the client has hung up."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return b""
        head, _, _ = self._buffer.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        whole = len(head) + 4 + length
        while len(self._buffer) < whole:
            if not self._more():
                return b""
        request, self._buffer = self._buffer[:whole], self._buffer[whole:]
        self.server.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self, body: bytes = b"", *, status: str = "200 OK", headers: str = "") -> None:
        extra = f"{headers}\r\n" if headers else ""
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        self.send(head.encode() + body)

    def trickle(self, data: bytes, every_s: float = TICK_S) -> None:
        """Send a byte at a time until all is sent, the client is gone or the test is over."""
        for position in range(len(data)):
            self.send(data[position : position + 1])
            if self.server.over.wait(every_s):
                return

    def hang(self) -> None:
        """Say nothing more until the test is over."""
        self.server.over.wait(10)

    def wait_for_hangup(self, timeout_s: float = 30) -> float:
        """Give the moment at which the client closed."""
        self.sock.settimeout(timeout_s)
        with contextlib.suppress(ConnectionError):
            while self.sock.recv(65536):
                pass
        return time.monotonic()

    def reset(self) -> None:
        """Close with a RST instead of a FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def _more(self) -> bool:
        data = self.sock.recv(65536)
        self._buffer += data
        return bool(data)


Script = Callable[[Peer], None]


class ScriptedServer:
    """Runs the script for every connection, each in a thread; everything ends with the `with`."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.over = threading.Event()
        self.requests: list[bytes] = []
        self.accepted = 0
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def url(self, path: str = "/", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        # Closing alone does not wake a thread that waits in accept or recv.
        for sock in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for sock in (self._listener, *self._open):
            sock.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(sock)
            self.accepted += 1
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._open.append(sock)
            self._script(Peer(sock, self))
        sock.close()


def replying(raw: bytes) -> Script:
    """Make the script that answers every request with the same bytes."""

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(raw)

    return script
