"""From a URL to the addresses that a call may connect to.

The URL is read strictly (RFC 3986, a subset), the name is looked up once, every answer is judged,
and the connection then goes to the judged addresses, not to the name. So a name server that
changes its answer in between gains nothing.
"""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from integrations.http.addresses import refusal
from integrations.http.errors import BlockedDestination, InvalidUrl
from integrations.http.policy import EgressPolicy
from integrations.http.resolver import Resolver

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,254})"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>(?:[/?][\x21-\x7e]*)?)",
    re.IGNORECASE | re.ASCII,
)
_FORBIDDEN_IN_TARGET = re.compile(r'[\\"<>^`{|}#]')
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_URL = 8192
_LONGEST_NAME = 253
_HIGHEST_PORT = 65535


class Origin(NamedTuple):
    """Scheme, host and port, normalised; an IPv6 host stands without its brackets."""

    scheme: str
    host: str
    port: int

    @property
    def is_literal(self) -> bool:
        """Whether the host is an IP address, so that nothing has to be looked up."""
        return ":" in self.host or self.host.rpartition(".")[2].isdigit()

    @property
    def authority(self) -> str:
        """What the Host header says: the port only if it is not the scheme's own."""
        if self.port != _DEFAULT_PORTS[self.scheme]:
            return str(self)
        return f"[{self.host}]" if ":" in self.host else self.host

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Destination(NamedTuple):
    """Where to connect and what to ask for there: path and query, never empty."""

    origin: Origin
    target: str


class PinnedOrigin(NamedTuple):
    """An origin with the judged addresses that stand for it, in the order to try them."""

    origin: Origin
    addresses: tuple[str, ...]


@lru_cache(maxsize=1024)
def parse_url(url: str) -> Destination:
    """Take a URL apart, refusing everything that two parsers could read differently.

    Raises:
        InvalidUrl: Not http or https, a user name, a fragment, a backslash, white space, a control
            or non-ASCII character, an IP address in any but its usual spelling, a bad port.
    """
    match = _URL.fullmatch(url) if len(url) <= _LONGEST_URL else None
    if match is None:
        raise InvalidUrl(
            "A URL must be http://host[:port]/path or https://host[:port]/path in ASCII, "
            "without user name, white space or control characters."
        )
    scheme, host, port, target = match.groups()
    if _FORBIDDEN_IN_TARGET.search(target):
        raise InvalidUrl("The URL has a fragment or a character that must be percent-encoded.")
    origin = _origin(scheme.lower(), host.lower(), port)
    return Destination(origin, target if target.startswith("/") else f"/{target}")


def pin(
    origin: Origin, policy: EgressPolicy, *, resolver: Resolver, timeout_s: float
) -> PinnedOrigin:
    """Look the host up once and judge every answer.

    Args:
        origin: From `parse_url`.
        policy: Which networks besides the public ones are open.
        resolver: Asks the name service.
        timeout_s: How long the lookup may take.

    Raises:
        BlockedDestination: One of the answers is an address that calls may not go to.
        ResolutionFailed: The name has no address, or the name service does not answer.
        DeadlineExceeded: The lookup took too long (`connect_timeout`).
    """
    if origin.is_literal:
        answers: tuple[str, ...] = (origin.host,)
    else:
        answers = resolver.lookup(origin.host, origin.port, timeout_s=timeout_s)
    for answer in answers:
        reason = refusal(answer, policy.allowed_networks, policy.only_networks)
        if reason is not None:
            # Naming the address would tell the caller how the inner network is laid out.
            raise BlockedDestination(f"{origin} leads to an address that is closed: {reason}.")
    return PinnedOrigin(origin, tuple(dict.fromkeys(str(ip_address(a)) for a in answers)))


@lru_cache(maxsize=1024)
def _origin(scheme: str, host: str, port: str | None) -> Origin:
    number = int(port) if port else _DEFAULT_PORTS[scheme]
    if number > _HIGHEST_PORT:
        raise InvalidUrl("The URL's port is above 65535.")
    return Origin(scheme, _host(host), number)


def _host(host: str) -> str:
    if host.startswith("["):
        try:
            return str(IPv6Address(host[1:-1]))
        except AddressValueError:
            raise InvalidUrl("The URL's host is not an IPv6 address.") from None
    name = host.removesuffix(".")
    labels = name.split(".")
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidUrl("The URL's host is not a host name.")
    if _NUMBER.fullmatch(labels[-1]) is None:
        return name
    # A name that ends in a number is an IPv4 address to the system (2130706433, 127.1, 0x7f.1).
    # The one spelling that everybody reads alike is the dotted quad without leading zeros.
    try:
        return str(IPv4Address(name))
    except AddressValueError:
        raise InvalidUrl("The URL's host is an odd spelling of an IPv4 address.") from None
