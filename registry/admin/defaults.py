"""Which model answers when a call names none."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from authz.admin.audited import AuditedAdmin
from intmod_site.service_admin import ServiceForm
from registry.catalog import services
from registry.models import TaskDefault


class TaskDefaultForm(ServiceForm):
    """A task and a model; the project is the model's."""

    class Meta:
        model = TaskDefault
        fields: list[str] = []

    def clean(self) -> dict[str, Any]:
        """Refuse a second default of a task, and a model of another project."""
        cleaned = super().clean() or self.cleaned_data
        model = cleaned.get("model")
        if model is None:
            return cleaned
        if self.instance._state.adding:
            self.instance.project = model.project
            of_project = TaskDefault.objects.in_project(model.project_id)
            if of_project.filter(task=cleaned.get("task")).exists():
                self.add_error("task", "The model's project has a default for it; change that one.")
        elif model.project_id != self.instance.project_id:
            self.add_error("model", "This model belongs to another project.")
        return cleaned


@admin.register(TaskDefault)
class TaskDefaultAdmin(AuditedAdmin):
    """Defaults of tasks."""

    form = TaskDefaultForm
    list_display = ["task", "project", "model"]
    list_filter = ["task", "project"]
    list_select_related = ["project", "model"]
    search_fields = ["model__name"]
    autocomplete_fields = ["model"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take along what a default is called by."""
        return super().get_queryset(request).select_related("model", "project")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the project of an existing one."""
        return ["project", "task", "model"] if obj else ["task", "model"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep project and task: others are another default."""
        return ["project", "task"] if obj else []

    def create(self, request: HttpRequest, form: TaskDefaultForm) -> TaskDefault:
        """Set a default."""
        model = form.cleaned_data["model"]
        return services.set_task_default(
            actor=self.actor(request),
            project=model.project,
            task=form.cleaned_data["task"],
            model=model,
        )

    def update(self, request: HttpRequest, obj: TaskDefault, form: Any) -> TaskDefault:
        """Set another model."""
        return services.set_task_default(
            actor=self.actor(request),
            project=obj.project,
            task=obj.task,
            model=form.cleaned_data["model"],
        )

    def remove(self, request: HttpRequest, obj: TaskDefault) -> None:
        """Let there be no default."""
        services.delete_task_default(actor=self.actor(request), default=obj)
