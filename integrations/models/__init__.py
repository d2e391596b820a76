"""Tables of the outside world."""

from integrations.models.connections import AccessToken, BreakerState, CallRecord, Integration
from integrations.models.engine import PeriodicJob, Worker
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
    "PeriodicJob",
    "ReceivedEvent",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookMessage",
    "Worker",
]
