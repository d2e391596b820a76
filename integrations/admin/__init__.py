"""External systems in the admin."""

from integrations.admin import connections

__all__ = ["connections"]
