"""Security policies on integrations."""

from uuid import UUID

from authz.policies.targets import TargetKind
from integrations.models import Integration


def find_integration(project_id: UUID, name: str) -> tuple[UUID, str] | None:
    """Give an integration's id and label by its name."""
    row = Integration.objects.in_project(project_id).filter(name=name).first()
    return (row.pk, row.name) if row else None


INTEGRATION = TargetKind("integration", find_integration, "an integration's name")
