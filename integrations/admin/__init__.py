"""External systems in the admin."""

from integrations.admin import calls, connections

__all__ = ["calls", "connections"]
