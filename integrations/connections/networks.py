"""The networks that an integration may lead to."""

from ipaddress import ip_network
from typing import Any

from intmod_site.api.errors import ValidationFailed

MOST = 50


def check_networks(networks: Any) -> None:
    """Refuse what is not a list of networks in CIDR notation.

    Raises:
        ValidationFailed: Naming the entry.
    """
    if not isinstance(networks, list) or len(networks) > MOST:
        raise ValidationFailed.of("allowed_networks", f"A list of at most {MOST} networks.")
    for index, network in enumerate(networks):
        try:
            if not isinstance(network, str) or "%" in network:
                raise ValueError  # noqa: TRY301 -- an integer is a network to the library
            ip_network(network)
        except ValueError:
            raise ValidationFailed.of(
                f"/allowed_networks/{index}", "A network such as 198.51.100.0/24."
            ) from None
