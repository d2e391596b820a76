"""An integration as those who call it need it: immutable, and free of the database."""

from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from django.conf import settings

from authz.secrets.fields import Secret
from integrations.http.policy import Deadlines, EgressPolicy
from integrations.http.retry import RetryPolicy
from integrations.models import Integration


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach an external system. Its key and headers stay out of `repr`.

    Args:
        integration_id, name: Which integration it is.
        base_url: Without a slash at its end.
        api_key: In plain text, for as long as the process remembers the configuration.
        headers: Sent with every call.
        deadlines: For one call in all, retries included.
        retries: How often and how soon to try again.
        egress: Which networks it may lead to.
    """

    integration_id: UUID
    name: str
    base_url: str
    api_key: str | None = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    deadlines: Deadlines
    retries: RetryPolicy
    egress: EgressPolicy


def connection_of(integration: Integration) -> Connection:
    """Give an integration's connection.

    Raises:
        SecretUnreadable: Its key does not decrypt.
    """
    secret: Secret | None = integration.api_key  # type: ignore[assignment]  # its descriptor's
    return Connection(
        integration_id=integration.pk,
        name=integration.name,
        base_url=integration.base_url.rstrip("/"),
        api_key=secret.reveal() if secret else None,
        headers=dict(integration.headers),
        deadlines=Deadlines(
            connect_s=integration.connect_timeout_s,
            first_byte_s=integration.first_byte_timeout_s,
            idle_s=integration.idle_timeout_s,
            total_s=integration.timeout_s,
        ),
        retries=RetryPolicy(
            max_retries=integration.max_retries, retry_delay_s=integration.retry_delay_s
        ),
        egress=default_egress(),
    )


@lru_cache(maxsize=1)
def default_egress() -> EgressPolicy:
    """Give the policy of this installation; one object, because connection pools belong to it."""
    return EgressPolicy(allowed_networks=settings.EGRESS_ALLOWED_NETWORKS)
