"""External systems in the admin."""

from integrations.admin import calls, connections, deliveries, endpoints, messages

__all__ = ["calls", "connections", "deliveries", "endpoints", "messages"]
