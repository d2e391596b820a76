"""Answers that are given again to the same question, where a version says so."""

from django.db import models


class CachedAnswer(models.Model):
    """One answer, encrypted, under a keyed hash of all that it depends on."""

    key = models.CharField(primary_key=True, max_length=64)
    version_id = models.UUIDField()
    body = models.TextField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["version_id", "expires_at"], name="cache_of_version")]

    def __str__(self) -> str:
        return self.key[:12]
