"""Durable work: which processes do it, and what runs by the clock.

The jobs themselves lie in the engine's own tables, beside these; `integrations.engine` reads them.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone


class WorkerQuerySet(models.QuerySet["Worker"]):
    """Named reads."""

    def alive(self, now: datetime | None = None) -> "WorkerQuerySet":
        """Keep those whose lease runs."""
        since = (now or timezone.now()) - timedelta(seconds=settings.WORKER_LEASE_S)
        return self.filter(ended_at=None, seen_at__gte=since)


class Worker(models.Model):
    """A process that runs jobs, as long as it says so again and again."""

    executor_id = models.CharField(primary_key=True, max_length=200)
    host = models.CharField(max_length=253)
    pid = models.PositiveIntegerField()
    queues = models.JSONField(default=list)
    concurrency = models.PositiveIntegerField(help_text="Jobs of each queue that it runs at once.")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True, help_text="When it last said that it lives.")
    doing = models.JSONField(default=list, help_text="The jobs under way at that moment.")
    ended_at = models.DateTimeField(null=True, help_text="When it gave its lease up by itself.")
    swept_at = models.DateTimeField(
        null=True, help_text="When another worker last took over what it had left."
    )

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ["-seen_at"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.executor_id

    @property
    def is_alive(self) -> bool:
        """Whether its lease runs."""
        lease = timedelta(seconds=settings.WORKER_LEASE_S)
        return self.ended_at is None and timezone.now() - self.seen_at <= lease


class PeriodicJob(models.Model):
    """What is known of a periodic job: its last tick, and how its last run went."""

    class Outcome(models.TextChoices):
        """How a run went."""

        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    name = models.CharField(primary_key=True, max_length=100)
    due_at = models.DateTimeField(help_text="The moment for which it was last enqueued.")
    workflow_id = models.CharField(max_length=200)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

    @property
    def duration_s(self) -> float | None:
        """How long the last finished run took."""
        if self.started_at is None or self.ended_at is None or self.ended_at < self.started_at:
            return None
        return (self.ended_at - self.started_at).total_seconds()
