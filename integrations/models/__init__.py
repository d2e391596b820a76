"""Tables of the outside world."""

from integrations.models.connections import AccessToken, BreakerState, CallRecord, Integration
from integrations.models.inbound import InboundSource, ReceivedEvent
from integrations.models.webhooks import (
    AuditFeed,
    DeliveryAttempt,
    EventType,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
)

__all__ = [
    "AccessToken",
    "AuditFeed",
    "BreakerState",
    "CallRecord",
    "DeliveryAttempt",
    "EventType",
    "InboundSource",
    "Integration",
    "ReceivedEvent",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookMessage",
]
