"""Which IP addresses an outgoing call may reach. Pure: nothing is looked up here.

Sources: IANA special-purpose address registries (RFC 6890), RFC 4291 (mapped and compatible
forms), RFC 2765 (translated), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 6052 and 8215 (NAT64).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_IPV4_CLOSED = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; some clouds keep their metadata service here
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's host agent, reachable from every machine there
        "169.254.0.0/16",  # link-local, metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # multicast tunnelling
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_IPV6_OPEN = IPv6Network("2000::/3")
_IPV6_CLOSED = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID and others
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


def refusal(
    address: str | Address, allowed: tuple[Network, ...] = (), only: tuple[Network, ...] = ()
) -> str | None:
    """Say why calls may not go to this address, or None if they may.

    Args:
        address: As the resolver gave it.
        allowed: Networks that are open although they are not public. They count for the address
            itself and for the IPv4 address inside a mapped or NAT64 one.
        only: Networks outside of which everything is closed; empty for no such bound.

    Raises:
        ValueError: The text is no IP address.
    """
    parsed = ip_address(address) if isinstance(address, str) else address
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id is not None:
            return "it belongs to one link only"
        parsed = _inner_ipv4(parsed) or parsed
    if only and not _within(parsed, only):
        return "it is outside of the networks that are allowed here"
    if _within(parsed, allowed):
        return None
    if isinstance(parsed, IPv4Address):
        return _ipv4_refusal(parsed)
    return _ipv6_refusal(parsed)


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _inner_ipv4(address: IPv6Address) -> IPv4Address | None:
    """Find the IPv4 address that packets to this address end up at.

    Only the forms of honest networks are opened up. The others (compatible, translated, 6to4,
    Teredo) are left whole and refused, whatever they carry.
    """
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _ipv4_refusal(address: IPv4Address) -> str | None:
    closed = any(address in network for network in _IPV4_CLOSED)
    # The library's table may be newer than ours, so both have to agree.
    return None if address.is_global and not closed else "it is not a public IPv4 address"


def _ipv6_refusal(address: IPv6Address) -> str | None:
    closed = address not in _IPV6_OPEN or any(address in network for network in _IPV6_CLOSED)
    return None if address.is_global and not closed else "it is not a public IPv6 address"
