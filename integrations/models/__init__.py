"""Tables of the outside world."""

from integrations.models.connections import Integration

__all__ = ["Integration"]
