"""What every row that belongs to a project shares."""

from typing import Any, ClassVar

from django.db import models

from authz.models.projects import Project
from authz.models.scoping import ProjectOwnedQuerySet


class ProjectOwned(models.Model):
    """A row at the root of what a project owns."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="+")

    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        abstract = True
