"""The manager of every row that a project owns, directly or through something else."""

from typing import Any, Generic, Self, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)
PATH = "project_id"


class ProjectOwnedQuerySet(models.QuerySet[Row], Generic[Row]):
    """Reads of rows that belong to a project.

    A model without a column `project` or `project_id` says in `project_path` through what it does,
    such as `version__project_id`.
    """

    def in_project(self, project_id: Any) -> Self:
        """Only the rows of one project: the first thing that every read does."""
        return self.filter(**{project_path(self.model): project_id})


def project_path(model: type[models.Model]) -> str:
    """Give the lookup that leads from a row to its project's id."""
    return getattr(model, "project_path", PATH)
