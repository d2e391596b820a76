"""What an inbound source's page shows below the form: its latest events."""

from typing import Any

from integrations.admin.received import TONES
from integrations.models import InboundSource, ReceivedEvent

LISTED = 10


def panel_of(source: InboundSource) -> dict[str, Any]:
    """Give the panel's parts: one query, however much was received."""
    latest = ReceivedEvent.objects.filter(source=source).defer("body").order_by("-pk")[:LISTED]
    return {"events": [{"row": row, "tone": TONES[row.state]} for row in latest]}
