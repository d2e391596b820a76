"""From what people write as a model to the versions that are meant, whether callable or not."""

from uuid import UUID

from registry.models import ModelAlias, ModelVersion


def versions_meant(project_id: UUID, reference: str) -> list[UUID]:
    """Give ids of versions: of a model_id, `name@alias`, `name:number`, or all of a model.

    The order is that of calls (`registry.catalog.resolution`); a bare name means every version.
    """
    versions = ModelVersion.objects.in_project(project_id).existing()
    if found := list(versions.filter(identifier=reference).values_list("pk", flat=True)):
        return found
    name, at, alias = reference.rpartition("@")
    if at:
        pointing = ModelAlias.objects.filter(model__name=name, model__project_id=project_id)
        if found := list(pointing.filter(name=alias).values_list("version_id", flat=True)):
            return found
    name, colon, number = reference.rpartition(":")
    if colon and number.isascii() and number.isdigit() and len(number) <= 9:
        numbered = versions.filter(model__name=name, number=int(number))
        if found := list(numbered.values_list("pk", flat=True)):
            return found
    return list(versions.filter(model__name=reference).values_list("pk", flat=True))
