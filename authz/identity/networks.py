"""From where an API key may be used: networks in CIDR form, an empty list for everywhere."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from intmod_site.api.errors import FieldError, ValidationFailed

Network = IPv4Network | IPv6Network

MAX_NETWORKS = 50
_MAPPED_BITS = 96


def checked_cidrs(texts: Any, *, within: list[str] | None = None) -> list[str]:
    """Give the networks in one spelling, sorted, each once.

    Args:
        texts: A list of networks such as `10.0.0.0/8`; a single address is a network of one.
        within: Networks that the issuer itself is confined to; None or empty for none.

    Returns:
        The networks; those of the issuer where none are named.

    Raises:
        ValidationFailed: One is no network, has host bits, or reaches beyond `within`; or there
            are more than `MAX_NETWORKS`.
    """
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValidationFailed.of("allowed_cidrs", "A list of texts.")
    if len(texts) > MAX_NETWORKS:
        raise ValidationFailed.of("allowed_cidrs", f"At most {MAX_NETWORKS} networks.")
    confines = [_network(text) for text in within or []]
    found, problems = set(), []
    for index, text in enumerate(texts):
        message = ""
        try:
            network = _network(text)
        except ValueError:
            message = "A network such as 10.0.0.0/8, without host bits."
        else:
            found.add(network)
            if confines and not any(_reaches(confine, network) for confine in confines):
                message = "Your own credential does not count there."
        if message:
            problems.append(FieldError(f"/allowed_cidrs/{index}", "invalid", message))
    if problems:
        raise ValidationFailed(f"allowed_cidrs: {problems[0].message}", fields=tuple(problems))
    return [str(one) for one in sorted(found or confines, key=lambda one: (one.version, one))]


@lru_cache(maxsize=4096)
def is_allowed(address: str | None, cidrs: tuple[str, ...]) -> bool:
    """Whether a request from this address is within the networks.

    Without networks everything is; with networks, a request without an address is not.
    """
    if not cidrs:
        return True
    if address is None:
        return False
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    peer = (peer.ipv4_mapped if isinstance(peer, IPv6Address) else None) or peer
    return any(peer in _network(cidr) for cidr in cidrs)


@lru_cache(maxsize=4096)
def _network(text: str) -> Network:
    """Read a network; an IPv4 one in IPv6's clothes (`::ffff:10.0.0.0/104`) is an IPv4 one."""
    if "%" in text:  # Python reads `fe80::1%eth0`
        raise ValueError("a zone means nothing here")
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ip_network((mapped, network.prefixlen - _MAPPED_BITS))
    return network


def _reaches(outer: Network, inner: Network) -> bool:
    if isinstance(outer, IPv4Network):
        return isinstance(inner, IPv4Network) and inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and inner.subnet_of(outer)
