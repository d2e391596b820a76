"""Tags once more, one a row: what searches by tag go through.

The columns `tags` of models and versions are what is shown; these rows follow them.
"""

from typing import Any, ClassVar

from django.db import models

from authz.models import Project, ProjectOwnedQuerySet
from registry.models.catalog import ModelVersion, RegisteredModel

HEAD_LENGTH = 200
"""Characters of a value that are indexed; databases do not index longer ones."""


class ModelTag(models.Model):
    """A tag of a model."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, models.PROTECT, related_name="+", db_index=False)
    owner = models.ForeignKey(RegisteredModel, models.CASCADE, related_name="tag_rows")
    key = models.CharField(max_length=250)
    head = models.CharField(max_length=HEAD_LENGTH, blank=True)
    rest = models.TextField(blank=True)

    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["project", "key", "head", "owner"], name="models_by_tag"),
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.head}"


class VersionTag(models.Model):
    """A tag of a version."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, models.PROTECT, related_name="+", db_index=False)
    owner = models.ForeignKey(ModelVersion, models.CASCADE, related_name="tag_rows")
    key = models.CharField(max_length=250)
    head = models.CharField(max_length=HEAD_LENGTH, blank=True)
    rest = models.TextField(blank=True)

    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["project", "key", "head", "owner"], name="versions_by_tag"),
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.head}"
