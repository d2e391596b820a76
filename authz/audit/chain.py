"""The hash chain over the audit log, and signatures over its head.

Each seal's hash covers the one before, so that no event can be changed, moved or left out without
every later hash changing; the hashes are keyed, so that nobody without AUDIT_KEY can work them out
anew. Checkpoints are signed with Ed25519 (RFC 8032) under a key derived from AUDIT_KEY: whoever has
the public key can check an exported one, and nobody else can make one.
"""

import hmac
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from authz.audit.codes import keyed_hash
from authz.models import AuditCheckpoint

GENESIS = "0" * 64


def link(previous: str, seq: int, event_id: int, event_mac: str) -> str:
    """Give a seal's hash, hex, from the one before it and what it seals."""
    content = f"intmod audit chain\n{previous}\n{seq}\n{event_id}\n{event_mac}"
    return keyed_hash(content.encode())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The chain's head at one moment, as it is kept elsewhere.

    Args:
        seq: Sequence number of the last seal; 0 for an empty chain.
        chain_hash: Its hash, hex.
        created_at: ISO 8601, UTC.
        signature: Ed25519, hex.
        public_key: Of the signature, hex; for others, we know our own.
    """

    seq: int
    chain_hash: str
    created_at: str
    signature: str
    public_key: str

    @classmethod
    def sign(cls, *, seq: int, chain_hash: str, at: datetime) -> Self:
        """Sign the chain's head."""
        created_at = at.isoformat()
        signature = _sign("checkpoint", seq, chain_hash, created_at)
        return cls(seq, chain_hash, created_at, signature, public_key())

    @classmethod
    def of(cls, row: AuditCheckpoint) -> Self:
        """Give a kept one."""
        return cls(row.seq, row.chain_hash, row.created_at.isoformat(), row.signature, public_key())

    @classmethod
    def read(cls, document: Any) -> Self:
        """Read what `as_dict` gave.

        Raises:
            ValueError: It is no checkpoint.
        """
        kinds = {"seq": int, "chain_hash": str, "created_at": str, "signature": str}
        if not isinstance(document, dict) or not all(
            isinstance(document.get(name), kind) for name, kind in kinds.items()
        ):
            raise ValueError("Not a checkpoint: it needs seq, chain_hash, created_at, signature.")
        return cls(**{name: document[name] for name in kinds}, public_key=public_key())

    def as_dict(self) -> dict[str, Any]:
        """Give it for a file."""
        return asdict(self)

    @property
    def is_genuine(self) -> bool:
        """Whether this installation signed it."""
        content = ("checkpoint", self.seq, self.chain_hash, self.created_at)
        return _is_signed(self.signature, *content)


def sign_marker(*, through_seq: int, chain_hash: str, export_sha256: str, at: datetime) -> str:
    """Sign a prune marker; hex."""
    return _sign("prune marker", through_seq, chain_hash, export_sha256, at.isoformat())


def is_marker_genuine(
    signature: str, *, through_seq: int, chain_hash: str, export_sha256: str, at: datetime
) -> bool:
    """Whether this installation signed the marker."""
    return _is_signed(
        signature, "prune marker", through_seq, chain_hash, export_sha256, at.isoformat()
    )


def public_key() -> str:
    """Give the key that checks our signatures; hex."""
    return _signing_key(settings.AUDIT_KEY).public_key().public_bytes_raw().hex()


def _sign(*content: object) -> str:
    return _signing_key(settings.AUDIT_KEY).sign(_message(content)).hex()


def _is_signed(signature: str, *content: object) -> bool:
    key: Ed25519PublicKey = _signing_key(settings.AUDIT_KEY).public_key()
    try:
        key.verify(bytes.fromhex(signature), _message(content))
    except (InvalidSignature, ValueError):
        return False
    return True


def _message(content: tuple[object, ...]) -> bytes:
    return "\n".join(["intmod audit", *map(str, content)]).encode()


@lru_cache(maxsize=2)
def _signing_key(audit_key: str) -> Ed25519PrivateKey:
    seed = hmac.digest(audit_key.encode(), b"intmod audit signing key", "sha256")
    return Ed25519PrivateKey.from_private_bytes(seed)
