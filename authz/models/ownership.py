"""What every row that belongs to a project shares."""

from typing import Any, ClassVar, Self
from uuid import UUID

from django.db import models

from authz.models.projects import Project


class ProjectOwnedQuerySet(models.QuerySet):
    """Reads of rows that belong to a project."""

    def in_project(self, project_id: UUID) -> Self:
        """Only the rows of one project: the first thing that every read does."""
        return self.filter(project_id=project_id)


class ProjectOwned(models.Model):
    """A row at the root of what a project owns."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="+")

    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        abstract = True
