"""Keeping the rows that searches by tag go through in step with the tags themselves."""

from intmod_site.row_table import RowTable
from registry.models import ModelTag, ModelVersion, RegisteredModel, VersionTag
from registry.models.tags import HEAD_LENGTH

_OF_MODELS, _OF_VERSIONS = RowTable(ModelTag), RowTable(VersionTag)


def write_tag_rows(owner: RegisteredModel | ModelVersion, *, fresh: bool = False) -> None:
    """Make the rows of a model or version say what its tags say, inside the caller's transaction.

    Args:
        owner: With its tags as they are to be.
        fresh: Whether it is new and cannot have rows yet.
    """
    table = _OF_MODELS if isinstance(owner, RegisteredModel) else _OF_VERSIONS
    if not fresh:
        table.model._default_manager.filter(owner=owner.pk).delete()
    if not owner.tags:
        return
    table.insert(
        table.row(
            project_id=owner.project_id,
            owner_id=owner.pk,
            key=key,
            head=value[:HEAD_LENGTH],
            rest=value[HEAD_LENGTH:],
        )
        for key, value in owner.tags.items()
    )
