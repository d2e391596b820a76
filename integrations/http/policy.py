"""How far a call may go and how long it may take: what callers set."""

import ssl
from dataclasses import dataclass, field

from integrations.http.addresses import Network


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each part of a call may take, in seconds of the monotonic clock.

    Args:
        connect_s: Looking up the name, connecting and the TLS handshake together.
        first_byte_s: From the connection being there to the first byte of the answer's body, or
            the end of its head if it has none. Sending the request counts.
        idle_s: The longest silence within the body. A stream counts from being asked for a line
            to having all of it, so a line that comes byte by byte does not help the sender.
        total_s: The whole call, from the first to the last.

    Raises:
        ValueError: One of them is not above zero.
    """

    connect_s: float = 5.0
    first_byte_s: float = 30.0
    idle_s: float = 30.0
    total_s: float = 60.0

    def __post_init__(self) -> None:
        limits_s = (self.connect_s, self.first_byte_s, self.idle_s, self.total_s)
        # Asked this way round, so that NaN does not pass.
        if not all(limit_s > 0 for limit_s in limits_s):
            raise ValueError("Every deadline must be above zero.")


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Where calls may go and whom they trust. Make it once and keep it: pools belong to it.

    Args:
        allowed_networks: Networks that calls may reach although they are not public.
        only_networks: Where calls may lead at all; empty for anywhere else that is open.
        tls: Certificates to trust and to show; the system's trust store if omitted.

    Raises:
        ValueError: The TLS context does not check the certificate and its name.
    """

    allowed_networks: tuple[Network, ...] = ()
    tls: ssl.SSLContext | None = None
    only_networks: tuple[Network, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        if self.tls and not (self.tls.check_hostname and self.tls.verify_mode == ssl.CERT_REQUIRED):
            raise ValueError("The TLS context must check the certificate and its name.")
        # Networks hash slowly, and every call looks its pool up by the policy.
        object.__setattr__(
            self, "_hash", hash((self.allowed_networks, self.only_networks, self.tls))
        )

    def __hash__(self) -> int:
        return self._hash
