"""Issue tokens without a password."""

from dataclasses import asdict
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from authz.audit.actor import Actor
from authz.identity.sessions import begin_session
from authz.models import Membership, User
from intmod_site.api.errors import ApiError


class Command(BaseCommand):
    """Begins a session for a member, as logging in would."""

    help = "Issue an access and a refresh token to a person; exits with 1 if it cannot be."

    def add_arguments(self, parser: Any) -> None:
        """Take whose they are and how far they reach."""
        parser.add_argument("username", help="A person in the project.")
        parser.add_argument("--project", required=True, help="Slug.")
        parser.add_argument("--scope", action="append", default=[], help="Permission; repeatable.")
        parser.add_argument("--expires-in", type=int, help="Seconds that an access token lives.")
        parser.add_argument("--json", action="store_true", help="Answer as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue them."""
        membership = (
            Membership.objects.filter(
                user__username=User.normalize_username(options["username"]),
                user__kind=User.Kind.HUMAN,
                user__is_active=True,
                project__slug=options["project"],
                project__is_active=True,
            )
            .select_related("user", "project")
            .first()
        )
        if membership is None:
            raise CommandError("There is no such active person in the project.", returncode=1)
        try:
            pair = begin_session(
                actor=Actor.command("issue_token"),
                user=membership.user,
                membership=membership,
                scopes=options["scope"],
                expires_in=options["expires_in"],
            )
        except ApiError as error:
            raise CommandError(str(error), returncode=1) from error
        self.stdout.write(orjson.dumps(asdict(pair)).decode() if options["json"] else pair.access)
