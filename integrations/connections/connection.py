"""An integration as those who call it need it: immutable, and free of the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_network
from typing import Any
from uuid import UUID

from django.conf import settings

from authz.secrets.fields import Secret
from integrations.http.policy import Deadlines, EgressPolicy
from integrations.http.retry import RetryPolicy
from integrations.models import Integration

LONGEST_DELAY_S = 30.0
"""Where the doubling of waits stops, unless the first is longer already."""


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
        project_id: Whose it is.
        auth_scheme, auth_settings: How its calls prove who is calling; a provider's adapter has
            its own way.
        retries_unsafe: Whether POST and PATCH are tried again like any other method.
        max_redirects: How many are followed.
        requests_per_minute, parallel_calls: Over all processes; None for no limit.
        response_limit_bytes: The longest answer.
        test_endpoint: What a test gets.
        logs_bodies: Whether the log keeps beginnings of bodies.
        is_active: Whether it is called at all.
    """

    integration_id: UUID
    name: str
    base_url: str
    api_key: str | None = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    deadlines: Deadlines
    retries: RetryPolicy
    egress: EgressPolicy
    project_id: UUID | None = None
    auth_scheme: str = "bearer"
    auth_settings: Mapping[str, Any] = field(default_factory=dict)
    retries_unsafe: bool = False
    max_redirects: int = 0
    requests_per_minute: int | None = None
    parallel_calls: int | None = None
    response_limit_bytes: int = 4 * 1024 * 1024
    test_endpoint: str = "/"
    logs_bodies: bool = False
    is_active: bool = True


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
            max_retries=integration.max_retries,
            retry_delay_s=integration.retry_delay_s,
            max_delay_s=max(LONGEST_DELAY_S, integration.retry_delay_s),
        ),
        egress=egress_within(tuple(integration.allowed_networks)),
        project_id=integration.project_id,
        auth_scheme=integration.auth_scheme,
        auth_settings=dict(integration.auth_settings),
        retries_unsafe=integration.retries_unsafe,
        max_redirects=integration.max_redirects,
        requests_per_minute=integration.requests_per_minute,
        parallel_calls=integration.parallel_calls,
        response_limit_bytes=integration.response_limit_bytes,
        test_endpoint=integration.test_endpoint,
        logs_bodies=integration.logs_bodies,
        is_active=integration.is_active,
    )


@lru_cache(maxsize=1024)
def egress_within(networks: tuple[str, ...] = ()) -> EgressPolicy:
    """Give this installation's policy, narrowed to networks; one object for each, because
    connection pools belong to it."""
    return EgressPolicy(
        allowed_networks=settings.EGRESS_ALLOWED_NETWORKS,
        only_networks=tuple(ip_network(cidr) for cidr in networks),
    )
