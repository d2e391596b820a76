"""What MLflow's clients send. Numbers of versions are text there."""

from typing import Annotated

from msgspec import Meta, Struct

Text = Annotated[str, Meta(max_length=5000)]
Name = Annotated[str, Meta(min_length=1, max_length=300)]
Number = Annotated[str, Meta(pattern=r"^[0-9]{1,9}$")] | Annotated[int, Meta(ge=0, le=10**9)]


class Tag(Struct):
    """A tag, in a list of them."""

    key: Text
    value: Text = ""


class OfModel(Struct):
    """A model's name."""

    name: Name


class CreateModel(OfModel):
    """A model to create."""

    tags: list[Tag] = []
    description: str = ""


class RenameModel(OfModel):
    """A model's new name."""

    new_name: str = ""


class UpdateModel(OfModel):
    """A model's new description; none leaves it."""

    description: str | None = None


class SetModelTag(OfModel):
    """A tag to set."""

    key: Text
    value: Text = ""


class DeleteModelTag(OfModel):
    """A tag to remove."""

    key: Text


class LatestVersions(OfModel):
    """Of which stages; none means all."""

    stages: list[str] = []


class OfAlias(OfModel):
    """An alias."""

    alias: Name


class SetAlias(OfAlias):
    """Where an alias is to point."""

    version: Number


class OfVersion(OfModel):
    """A version."""

    version: Number


class CreateVersion(OfModel):
    """A version to create."""

    source: Annotated[str, Meta(min_length=1, max_length=2000)]
    run_id: str = ""
    run_link: str = ""
    tags: list[Tag] = []
    description: str = ""
    model_id: str = ""


class UpdateVersion(OfVersion):
    """A version's new description; none leaves it."""

    description: str | None = None


class TransitionStage(OfVersion):
    """A version's new stage."""

    stage: str
    archive_existing_versions: bool = False


class SetVersionTag(OfVersion):
    """A tag to set."""

    key: Text
    value: Text = ""


class DeleteVersionTag(OfVersion):
    """A tag to remove."""

    key: Text


class Search(Struct):
    """What to search for, and where to go on."""

    filter: str = ""
    max_results: int | None = None
    order_by: list[str] = []
    page_token: str = ""


def tags_of(tags: list[Tag]) -> dict[str, str]:
    """Give tags by key; the last of the same key counts."""
    return {tag.key: tag.value for tag in tags}
