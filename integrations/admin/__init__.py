"""External systems in the admin."""

from integrations.admin import (
    calls,
    connections,
    deliveries,
    endpoints,
    inbound,
    messages,
    received,
    workers,
)

__all__ = [
    "calls",
    "connections",
    "deliveries",
    "endpoints",
    "inbound",
    "messages",
    "received",
    "workers",
]
