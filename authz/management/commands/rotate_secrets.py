"""Encrypt every stored secret under the first key of the ring."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from authz.audit.actor import Actor
from authz.audit.record import record_event
from authz.models import AuditEvent
from authz.secrets.keyring import current_prefix
from authz.secrets.rotation import Rotation, outdated_count, rotate


class Command(BaseCommand):
    """After a new key was put first in FIELD_ENCRYPTION_KEYS; the old one can go afterwards."""

    help = "Encrypt stored secrets anew under the first of FIELD_ENCRYPTION_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate; exit code 1 if a secret cannot be read."""
        rotation = Rotation()
        with tqdm(total=outdated_count(), unit="secret", disable=None) as bar:
            for count in rotate(rotation):
                bar.update(count)
        outcome = AuditEvent.Outcome
        record_event(
            actor=Actor.command("rotate_secrets"),
            action="secret.rotate",
            outcome=outcome.FAILED if rotation.unreadable else outcome.SUCCESS,
            project=None,
            changes={"count": rotation.count, "unreadable": rotation.unreadable[:100]},
        )
        kid = current_prefix().split(":")[1]
        self.stdout.write(f"{rotation.count} secrets are encrypted under {kid} now.")
        for place in rotation.unreadable:
            self.stderr.write(f"Unreadable: {place}")
        if rotation.unreadable:
            raise CommandError(
                f"{len(rotation.unreadable)} secrets cannot be read: set them anew, or bring their "
                "key back."
            )
        self.stdout.write(
            "Older keys are not needed any more, once every process has the new ring."
        )
