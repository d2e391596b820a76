"""A receiver of webhooks that answers at once and notes when each message came.

python -m benchmarks.webhook_receiver PORT DEAD_PORT

On DEAD_PORT it accepts and never answers. `GET /arrivals` gives and forgets what came, as
{"path message-id": moment}.
"""

import asyncio
import json
import sys
import time
from typing import cast

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Receiver(asyncio.Protocol):
    """One connection."""

    arrivals: dict[str, float] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode().split("\r\n")
            fields = {
                name.lower(): value for name, _, value in (row.partition(": ") for row in head[1:])
            }
            whole = end + 4 + int(fields.get("content-length", 0))
            if len(self.buffer) < whole:
                return
            self.buffer = self.buffer[whole:]
            self.answer(head[0].split(" ")[1], fields)

    def answer(self, path: str, fields: dict[str, str]) -> None:
        if "webhook-id" in fields:
            self.arrivals.setdefault(f"{path} {fields['webhook-id']}", time.time())
            self.transport.write(OK)
            return
        body = json.dumps(self.arrivals).encode() if path == "/arrivals" else b"{}"
        if path == "/arrivals":
            self.arrivals.clear()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiver, "127.0.0.1", int(sys.argv[1]))
    await loop.create_server(asyncio.Protocol, "127.0.0.1", int(sys.argv[2]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
