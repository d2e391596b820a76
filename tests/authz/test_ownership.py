"""Every table and every view is scoped to a project, or stands here with the reason why not."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.urls import URLResolver, get_resolver
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.generics import GenericAPIView
from rest_framework.views import APIView

from authz.api.views import ProjectView, ProjectViewSet
from authz.models import Project, ProjectOwnedQuerySet
from authz.models.scoping import project_path
from intmod_site.api import extensions

OURS = ("authz", "integrations", "registry")
NOT_OWNED = {
    "User": "people work in several projects; what they may see of each other is memberships",
    "AuditSeal": "the chain runs through the events of all projects",
    "AuditCheckpoint": "signs the whole chain",
    "AuditPruneMarker": "signs what was pruned of the whole log",
    "ConfigurationRevision": "one row",
    "IdempotencyRecord": "belongs to a principal, whose key holds the project",
    "RateBucket": "its key names whose it is",
    "HoldAccount": "its key names whose it is",
    "AuditFeed": "how far the whole log has been told",
    "RollupPosition": "how far a table has been summed up",
    "Worker": "a worker process works for all projects",
    "PeriodicJob": "runs for all projects",
    "CachedAnswer": "its key is a hash over version, project and question",
}
NOT_IN_A_PROJECT = (SpectacularAPIView, SpectacularSwaggerSplitView)
"""The schema is the same for everybody. Endpoints of extensions are their authors' matter."""
MODELS = [model for model in apps.get_models() if model._meta.app_label in OURS]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_table_is_read_by_project_or_belongs_to_none(model: type[models.Model]) -> None:
    if model.__name__ in NOT_OWNED:
        return
    manager: Any = model._default_manager
    assert isinstance(manager.get_queryset(), ProjectOwnedQuerySet), (
        "Give it ProjectOwnedQuerySet as manager, and project_path if the project is further away."
    )
    *way, last = project_path(model).removesuffix("_id").split("__")
    owner = model
    for step in way:
        owner = owner._meta.get_field(step).related_model  # type: ignore[assignment]
    if owner is Project:
        return
    names = {field.name for field in owner._meta.fields}
    if last in names:
        assert owner._meta.get_field(last).related_model is Project
    else:
        assert f"{last}_id" in names


def test_whose_rows_are_read_is_asked_of_the_database(db: None) -> None:
    project = Project(slug="nobody")
    for model in MODELS:
        if model.__name__ not in NOT_OWNED:
            manager: Any = model._default_manager
            assert list(manager.in_project(project.pk)) == []


def views(resolver: URLResolver) -> Iterator[Any]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern)
        else:
            yield getattr(pattern.callback, "cls", None)


VIEWS = sorted({view for view in views(get_resolver()) if view}, key=lambda view: view.__name__)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_a_view_works_in_a_project(view: type[APIView]) -> None:
    if view in NOT_IN_A_PROJECT or view.__module__ == extensions.__name__:
        return
    assert issubclass(view, ProjectView)
    if issubclass(view, GenericAPIView):
        assert issubclass(view, ProjectViewSet)
        queryset: Any = view.queryset
        assert queryset is None or isinstance(queryset, ProjectOwnedQuerySet)
