"""A source as those who receive from it need it: immutable, from the configuration's snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings as site_settings

from authz.audit.actor import Actor
from authz.configuration.snapshot import Snapshot
from authz.models import Project
from authz.policies.targets import PolicyTarget
from authz.secrets.keyring import SecretUnreadable
from integrations.models import InboundSource
from integrations.webhooks.inbound.policies import KIND
from integrations.webhooks.inbound.schemes import SCHEMES
from integrations.webhooks.inbound.schemes.scheme import SignatureScheme
from integrations.webhooks.replaced_secrets import Replaced, present_secret, replaced_secrets
from intmod_site.api.errors import NotFound, ServiceUnavailable


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends events to one address. Its secrets stay out of `repr`.

    Args:
        source_id, name, project: Which source it is.
        scheme: How it signs.
        settings: What the scheme needs besides.
        secret: The present one.
        replaced: Those that count for a while yet, and until when.
        tolerance_s: How far its clock may be from ours.
        body_limit_bytes: The longest body.
        hands_on: Whether anybody is to have its events.
    """

    source_id: UUID
    name: str
    project: Project
    scheme: SignatureScheme
    settings: Mapping[str, Any]
    secret: str = field(repr=False)
    replaced: Replaced = field(repr=False)
    tolerance_s: int
    body_limit_bytes: int
    hands_on: bool

    def secrets(self, now: datetime) -> list[str]:
        """Give the secrets that count now."""
        return [self.secret, *(text for text, until in self.replaced if until > now)]

    def target(self) -> PolicyTarget:
        """Give the source as policies know it."""
        return PolicyTarget(KIND, self.source_id, self.name)

    def actor(self, address: str | None) -> Actor:
        """Give the source as the audit log knows it."""
        return Actor(
            kind="system",
            label=f"inbound source {self.name}",
            credential=f"inbound_source:{self.source_id}",
            address=address,
        )


def find_sender(*, snapshot: Snapshot, source_id: str) -> Sender:
    """Give who sends to an address; costs no query once it is remembered.

    Raises:
        NotFound: Nobody does, or not any more.
        ServiceUnavailable: Its secret does not decrypt.
    """
    try:
        wanted = UUID(source_id)
    except ValueError:
        raise _nobody() from None
    # Nothing is remembered of addresses that lead nowhere: anybody may invent them.
    return snapshot.get(("inbound_source", wanted), lambda: _load(wanted))


def _load(source_id: UUID) -> Sender:
    source = (
        InboundSource.objects.select_related("project")
        .filter(pk=source_id, is_active=True, project__is_active=True)
        .first()
    )
    if source is None:
        raise _nobody()
    try:
        secret, replaced = present_secret(source), replaced_secrets(source)
    except SecretUnreadable:
        raise ServiceUnavailable(
            "The secret of this source does not decrypt; set it anew.", code="secret_unreadable"
        ) from None
    return Sender(
        source_id=source.pk,
        name=source.name,
        project=source.project,
        scheme=SCHEMES[source.scheme],
        settings=source.settings,
        secret=secret,
        replaced=replaced,
        tolerance_s=source.tolerance_s,
        body_limit_bytes=min(source.body_limit_bytes, site_settings.REQUEST_BODY_LIMIT_BYTES),
        hands_on=source.hands_on,
    )


def _nobody() -> NotFound:
    return NotFound("There is no such inbound source.")
