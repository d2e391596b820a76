"""What makes a change of the audit log show: seals in a chain, signed checkpoints, prune markers.

Rows of all three are added and never changed, as those of the log itself.
"""

from typing import Any

from django.db import models


class InsertOnly(models.Model):
    """A row that is inserted once; the database's triggers refuse the rest in any case."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert once."""
        if not self._state.adding:
            raise TypeError("This row is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse."""
        raise TypeError("This row is never deleted.")


class AuditSeal(InsertOnly):
    """The place of one event in the chain; stays when the event is pruned."""

    seq = models.BigIntegerField(primary_key=True)
    event_id = models.BigIntegerField(unique=True)
    event_mac = models.CharField(max_length=64)
    chain_hash = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    class Meta:
        ordering = ["seq"]
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.seq)


class AuditCheckpoint(InsertOnly):
    """The chain's head at one moment, signed; a copy elsewhere shows when a tail is cut."""

    id = models.BigAutoField(primary_key=True)
    seq = models.BigIntegerField()
    chain_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    signature = models.CharField(max_length=128)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.seq}:{self.chain_hash[:12]}"


class AuditPruneMarker(InsertOnly):
    """Up to where events may be deleted, because an export holds them; signed."""

    id = models.BigAutoField(primary_key=True)
    through_seq = models.BigIntegerField()
    chain_hash = models.CharField(max_length=64)
    export_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    signature = models.CharField(max_length=128)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.through_seq)
