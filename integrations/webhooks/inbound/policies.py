"""Security policies on inbound sources: asked about each event before it is stored."""

from uuid import UUID

from authz.policies.targets import TargetKind
from integrations.models import InboundSource

KIND = "inbound_source"


def find_source(project_id: UUID, name: str) -> tuple[UUID, str] | None:
    """Give a source's id and label by its name."""
    row = InboundSource.objects.in_project(project_id).filter(name=name).first()
    return (row.pk, row.name) if row else None


INBOUND_SOURCE = TargetKind(KIND, find_source, "an inbound source's name")
