"""What a project can call by name, as models lists show it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authz.configuration.snapshot import Snapshot
from intmod_site.api.errors import ApiError
from registry.catalog.resolution import find_route, resolve
from registry.models import ModelVersion, RegisteredModel, Route

SURFACE_TASKS = ("chat", "embed")


@dataclass(frozen=True, slots=True)
class CallableModel:
    """A name that can be called, and since when."""

    name: str
    created_at: datetime


def callable_models(project_id: UUID) -> list[CallableModel]:
    """Give all names of a project that chat or embed, by two queries."""
    able = {
        model_id
        for model_id, tasks in ModelVersion.objects.in_project(project_id)
        .callable()
        .values_list("model_id", "tasks")
        if set(tasks) & set(SURFACE_TASKS)
    }
    models = RegisteredModel.objects.in_project(project_id).existing()
    routes = Route.objects.in_project(project_id)
    rows = {
        name: created_at
        for pk, name, created_at in models.values_list("pk", "name", "created_at")
        if pk in able
    }
    rows |= dict(routes.values_list("name", "created_at"))
    return [CallableModel(name, rows[name]) for name in sorted(rows)]


def callable_model(snapshot: Snapshot, project_id: UUID, reference: str) -> CallableModel:
    """Give one name, in any form that a call may have.

    Raises:
        ApiError: Nothing that chats or embeds is called that.
    """
    route = find_route(snapshot=snapshot, project_id=project_id, reference=reference)
    if route is not None:
        row = Route.objects.in_project(project_id).get(name=reference)
        return CallableModel(reference, row.created_at)
    refusal: ApiError | None = None
    for task in SURFACE_TASKS:
        try:
            target = resolve(
                snapshot=snapshot, project_id=project_id, reference=reference, task=task
            )
        except ApiError as error:
            refusal = refusal or error
            continue
        return CallableModel(reference, ModelVersion.objects.get(pk=target.version_id).created_at)
    assert refusal is not None  # noqa: S101 -- the loop answered otherwise
    raise refusal
