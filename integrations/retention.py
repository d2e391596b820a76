"""Removing what need not be remembered any longer, of every kind."""

from datetime import datetime

from integrations.connections.retention import prune_calls
from integrations.webhooks.inbound.retention import prune_events
from integrations.webhooks.retention import prune_messages


def prune_records(now: datetime | None = None) -> int:
    """Remove old messages, received events and calls, and give how many."""
    return prune_messages(now) + prune_events(now) + prune_calls(now)
