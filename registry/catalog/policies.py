"""Security policies on versions of models."""

from uuid import UUID

from django.db.models import Q

from authz.policies.targets import TargetKind
from registry.models import ModelVersion


def find_version(project_id: UUID, reference: str) -> tuple[UUID, str] | None:
    """Give a version's id and label by its model_id, or by `name:number`."""
    wanted = Q(identifier=reference)
    name, _, number = reference.rpartition(":")
    if name and number.isascii() and number.isdigit() and len(number) <= 9:
        wanted |= Q(model__name=name, number=int(number))
    rows = ModelVersion.objects.in_project(project_id).existing().filter(wanted)
    row = rows.select_related("model").order_by("identifier").first()
    return (row.pk, f"{row.model.name}:{row.number}") if row else None


MODEL_VERSION = TargetKind("model_version", find_version, "a model_id, or name:number")
