"""Revoke a token or an API key."""

import sys
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from authz.audit.actor import Actor
from authz.identity import api_key
from authz.identity.keys import revoke_api_key
from authz.identity.sessions import revoke
from authz.models import APIKey


class Command(BaseCommand):
    """Ends what a credential stands for: a token's session, or an API key."""

    help = (
        "End the session of a token, or an API key; its next request is refused. "
        "Exits with 1 if there was nothing to end."
    )

    def add_arguments(self, parser: Any) -> None:
        """Take the credential, or `-` for standard input, which no process list shows."""
        parser.add_argument("credential", help="Token, API key, or - to read it from input.")
        parser.add_argument("--json", action="store_true", help="Answer as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """End it."""
        text = options["credential"]
        text = sys.stdin.readline().strip() if text == "-" else text
        actor = Actor.command("revoke_token")
        ended = (
            _revoke_key(text, actor)
            if text.startswith(api_key.PREFIX)
            else revoke(token=text, actor=actor)
        )
        if options["json"]:
            self.stdout.write(orjson.dumps({"revoked": ended}).decode())
        elif ended:
            self.stdout.write("Revoked.")
        if not ended:
            raise CommandError("There was nothing to end.", returncode=1)


def _revoke_key(text: str, actor: Actor) -> bool:
    """End the key that a text names: whoever runs commands here may end them all."""
    parsed = api_key.parse(text)
    found = APIKey.objects.select_related("project").filter(
        public_id=parsed.public_id if parsed else None
    )
    key = found.first()
    return key is not None and revoke_api_key(actor=actor, key=key)
