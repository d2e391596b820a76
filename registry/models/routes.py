"""Names that spread calls over several models."""

from django.core.validators import RegexValidator
from django.db import models

from authz.ids import new_id
from authz.models import ProjectOwned
from registry.models.catalog import MODEL_NAME


class Route(ProjectOwned):
    """A name that callers use like a model's; who answers is chosen call by call.

    It goes before a model of the same name, so that a model's calls can be spread without its
    callers changing anything; `name@alias` and `name:number` still mean the model.
    """

    class Strategy(models.TextChoices):
        """How the target of a call is chosen; the others stand in when it fails."""

        WEIGHTED = "weighted", "By weight"
        ORDER = "order", "In order"
        LEAST_BUSY = "least_busy", "Least busy"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(
        max_length=200,
        validators=[
            RegexValidator(rf"\A{MODEL_NAME}\Z", "Letters, digits, and inner . _ - or space.")
        ],
    )
    description = models.TextField(blank=True, max_length=10_000)
    strategy = models.CharField(max_length=10, choices=Strategy, default=Strategy.WEIGHTED)
    targets = models.JSONField(
        help_text='Who may answer: [{"model": "name@alias", "weight": 1, "order": 0}].'
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="route_name_in_project"),
        ]

    def __str__(self) -> str:
        return self.name
