"""Issue an API key."""

from datetime import timedelta
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from authz.audit.actor import Actor
from authz.identity.keys import create_api_key
from authz.models import Project, User
from intmod_site.api.errors import ApiError

MAX_DAYS = 36_500


class Command(BaseCommand):
    """Issues a key to a member of a project; its text is shown once."""

    help = "Issue an API key and print its text, once; exits with 1 if it cannot be."

    def add_arguments(self, parser: Any) -> None:
        """Take whose it is and how far it reaches."""
        parser.add_argument("username", help="A person or service account in the project.")
        parser.add_argument("--project", required=True, help="Slug.")
        parser.add_argument("--name", required=True, help="What people know it by.")
        parser.add_argument("--scope", action="append", default=[], help="Permission; repeatable.")
        parser.add_argument("--cidr", action="append", default=[], help="Network; repeatable.")
        parser.add_argument("--days", type=int, help="Days until it ends by itself.")
        parser.add_argument("--json", action="store_true", help="Answer as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue it."""
        days = options["days"]
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise CommandError(f"--days takes 1 to {MAX_DAYS}.", returncode=1)
        if not 1 <= len(options["name"]) <= 100:
            raise CommandError("--name takes 1 to 100 characters.", returncode=1)
        try:
            key, text = create_api_key(
                actor=Actor.command("create_api_key"),
                user=User.objects.get_by_natural_key(options["username"]),
                project=Project.objects.get(slug=options["project"]),
                name=options["name"],
                scopes=options["scope"],
                allowed_cidrs=options["cidr"],
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
        except (Project.DoesNotExist, User.DoesNotExist, ApiError) as error:
            raise CommandError(str(error), returncode=1) from error
        made = {
            "id": str(key.pk),
            "key": text,
            "scopes": key.scopes,
            "allowed_cidrs": key.allowed_cidrs,
            "expires_at": key.expires_at,
        }
        self.stdout.write(orjson.dumps(made).decode() if options["json"] else text)
