"""Rotate the keys that tokens are signed with."""

from datetime import timedelta
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.identity.key_rotation import Plan, plan_rotation, record_rotation, rotate_file
from authz.identity.signing_keys import EDDSA, HS256, moment_of

MAX_LEAD_S = 86_400
MAX_DAYS = 3650


class Command(BaseCommand):
    """Puts a new key first in JWT_SIGNING_KEYS; those before verify while they are needed."""

    help = (
        "Make a new key for signing tokens, and drop those that no living token needs. Nobody is "
        "logged out. Exits with 1 if the ring cannot be changed."
    )

    def add_arguments(self, parser: Any) -> None:
        """Take what the new key is, and when it counts."""
        parser.add_argument(
            "--algorithm", choices=(HS256, EDDSA), help="Of the new key; else as the one before."
        )
        parser.add_argument(
            "--lead-s", type=int, default=600, metavar="SECONDS",
            help="How long until it signs, so that every process knows it by then (600).",
        )  # fmt: skip
        parser.add_argument(
            "--if-older-than-days", type=int, metavar="DAYS",
            help="Make a key only if the one that signs has done so for longer.",
        )  # fmt: skip
        parser.add_argument(
            "--forget-others", action="store_true",
            help="After a leak: the new key signs at once and every token so far ends.",
        )  # fmt: skip
        parser.add_argument(
            "--print", action="store_true", dest="is_printed",
            help="Change no file; print the new ring, which is secret.",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="Answer as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate."""
        plan = self._rotated(options)
        told = {
            "made": plan.made,
            "signs_from": moment_of(plan.made or ""),
            "kept": [kid for kid, _ in plan.pairs],
            "dropped": plan.dropped,
            "reason": plan.reason,
            "next": _next(plan, is_printed=options["is_printed"]),
        }
        if options["is_printed"]:
            told["ring"] = plan.text
        if options["json"]:
            self.stdout.write(orjson.dumps(told).decode())
            return
        if plan.made:
            self.stdout.write(f"{plan.made} signs from {moment_of(plan.made)}.")
        else:
            self.stdout.write(f"No key was made: {plan.reason}.")
        if plan.dropped:
            self.stdout.write(f"Dropped: {', '.join(plan.dropped)}.")
        self.stdout.write(str(told["next"]))
        if options["is_printed"]:
            self.stdout.write(plan.text)

    @staticmethod
    def _rotated(options: dict[str, Any]) -> Plan:
        lead_s, days = options["lead_s"], options["if_older_than_days"]
        if not 0 <= lead_s <= MAX_LEAD_S:
            raise CommandError(f"--lead-s takes 0 to {MAX_LEAD_S}.", returncode=1)
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise CommandError(f"--if-older-than-days takes 1 to {MAX_DAYS}.", returncode=1)
        forget = options["forget_others"]
        wishes: dict[str, Any] = {
            "now": timezone.now(),
            "algorithm": options["algorithm"],
            "lead": timedelta(seconds=0 if forget else lead_s),
            "older_than": timedelta(days=days) if days else None,
            "forget_others": forget,
        }
        actor, file = Actor.command("rotate_keys"), settings.JWT_SIGNING_KEYS_FILE
        if options["is_printed"]:
            plan = plan_rotation(tuple(settings.JWT_SIGNING_KEYS.items()), **wishes)
            if plan.made or plan.dropped:
                with transaction.atomic():
                    record_rotation(actor=actor, plan=plan)
            return plan
        if file is None:
            raise CommandError(
                "JWT_SIGNING_KEYS stands in the environment, where no command can change it. "
                "Use --print, or keep it in a file that JWT_SIGNING_KEYS_FILE names.",
                returncode=1,
            )
        try:
            return rotate_file(file, actor=actor, **wishes)
        except (OSError, ImproperlyConfigured) as error:
            raise CommandError(
                f"{file} was not changed: {error}. Run it where the file can be replaced, or use "
                "--print and put the ring there.",
                returncode=1,
            ) from error


def _next(plan: Plan, *, is_printed: bool) -> str:
    if is_printed:
        begins = moment_of(plan.made or "")
        by = f" before {begins}" if begins else ""
        return f"Set JWT_SIGNING_KEYS to this ring and restart every process{by}."
    if not (plan.made or plan.dropped):
        return "Nothing is left to do."
    return (
        "Processes read the file again by themselves. Copy it to other machines before the new key "
        "signs. Run this again later: keys that no living token needs are dropped then."
    )
