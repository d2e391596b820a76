"""Where a request comes from, in the one form that every table and rule can take."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

IPV6_HOME_BITS = 64
"""What one customer is given at least: whoever has one address has all of these (RFC 6177)."""

MOST_HOPS = 32
"""Proxies in a row that are believed; nobody has so many."""


def client_address(request: HttpRequest) -> str | None:
    """Give the client's IP address; None where nobody says it.

    That is the peer, unless the peer is one of TRUSTED_PROXIES (or, if there are any, a socket
    file, which only a proxy reaches): then the last address in X-Forwarded-For that is none of
    them. Each proxy appends whom it heard; what stands before the last stranger the stranger wrote.
    """
    peer = _normalised(request.META.get("REMOTE_ADDR") or "")
    if not settings.TRUSTED_PROXIES:
        return peer
    if peer is not None and not _is_trusted(peer):
        return peer
    known = peer
    said = request.META.get("HTTP_X_FORWARDED_FOR") or ""
    for hop in reversed(said.rsplit(",", MOST_HOPS)[-MOST_HOPS:]):
        address = _normalised(_without_port(hop.strip()))
        if address is None:
            # Whoever wrote this is as far as one can see.
            break
        known = address
        if not _is_trusted(address):
            break
    return known


def home_of(address: str | None) -> str | None:
    """Give what counts as one address; None where there is none to tell callers apart by."""
    if address is None or not isinstance(ip_address(address), IPv6Address):
        return address
    return str(ip_network((address, IPV6_HOME_BITS), strict=False).network_address)


def _is_trusted(address: str) -> bool:
    parsed = ip_address(address)
    return any(parsed in network for network in settings.TRUSTED_PROXIES)


def _without_port(hop: str) -> str:
    """Take `[v6]:port` and `v4:port` apart, which some proxies write."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


@lru_cache(maxsize=1024)
def _normalised(text: str) -> str | None:
    """Write an address in one way.

    An IPv4 peer of a dual-stack socket is its IPv4 address, and a link-local one has no zone:
    PostgreSQL's inet type takes neither `fe80::1%eth0` nor two spellings of one address.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
