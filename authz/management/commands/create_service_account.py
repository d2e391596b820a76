"""Create a service account."""

from typing import Any

import orjson
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from authz.audit.actor import Actor
from authz.identity.roles import ROLES
from authz.identity.service_accounts import create_service_account
from authz.models import Project, User
from intmod_site.api.errors import ApiError


class Command(BaseCommand):
    """Creates an account without a password that works in a project for its owner."""

    help = "Create a service account; exits with 1 if it cannot be."

    def add_arguments(self, parser: Any) -> None:
        """Take its name, place and owner."""
        parser.add_argument("username")
        parser.add_argument("--project", required=True, help="Slug.")
        parser.add_argument("--owner", required=True, help="Name of a person in the project.")
        parser.add_argument("--role", choices=ROLES, default="developer")
        parser.add_argument("--json", action="store_true", help="Answer as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create it."""
        try:
            membership = create_service_account(
                actor=Actor.command("create_service_account"),
                project=Project.objects.get(slug=options["project"]),
                username=options["username"],
                owner=User.objects.get_by_natural_key(options["owner"]),
                role=Group.objects.get(name=options["role"]),
                held=None,
            )
        except (Project.DoesNotExist, User.DoesNotExist, ApiError, ValidationError) as error:
            raise CommandError(str(error), returncode=1) from error
        made = {
            "id": str(membership.user_id),
            "username": membership.user.username,
            "project": options["project"],
            "role": options["role"],
            "owner": options["owner"],
        }
        if options["json"]:
            self.stdout.write(orjson.dumps(made).decode())
        else:
            self.stdout.write(f"{made['username']} works in {made['project']} as {made['role']}.")
