"""Where a request comes from, in the one form that every table and rule can take."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Give the peer's IP address; None where the server listens on a socket file.

    An IPv4 peer of a dual-stack socket is its IPv4 address, and a link-local one has no zone:
    PostgreSQL's inet type takes neither `fe80::1%eth0` nor two spellings of one address.
    """
    return _normalised(request.META.get("REMOTE_ADDR") or "")


@lru_cache(maxsize=1024)
def _normalised(text: str) -> str | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
