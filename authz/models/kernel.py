"""Tables of the API's own conventions; they belong to principals."""

from django.db import models


class ConfigurationRevision(models.Model):
    """One row, whose number moves with every change to what the call path depends on."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_configuration_revision")
        ]

    def __str__(self) -> str:
        return str(self.number)


class IdempotencyRecord(models.Model):
    """A request made under an Idempotency-Key, and its answer once there is one."""

    id = models.BigAutoField(primary_key=True)
    principal = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(null=True)
    content_type = models.CharField(max_length=100, blank=True)
    locked_until = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["principal", "key"], name="one_answer_per_idempotency_key"
            )
        ]

    def __str__(self) -> str:
        return self.key
