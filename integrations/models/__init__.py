"""Tables of the outside world."""

from integrations.models.connections import AccessToken, BreakerState, CallRecord, Integration

__all__ = ["AccessToken", "BreakerState", "CallRecord", "Integration"]
