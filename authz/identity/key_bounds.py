"""What a key hands on: nothing wider than itself, and nothing that lives longer."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from authz.identity.principal import Principal
from authz.models.credentials import APIKey
from intmod_site.api.errors import PermissionDenied, ValidationFailed


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the caller's own credential is confined to.

    Args:
        key_id: Of the caller's key; None for staff and the machine.
        scopes: Permissions that it keeps; empty keeps all.
        cidrs: Networks that it counts from; empty for everywhere.
        expires_at: When it ends by itself, if it is a key.
        text_hash: Of the key's text that was sent: the newest, or the one before in its grace.
    """

    key_id: UUID | None = None
    scopes: frozenset[str] = frozenset()
    cidrs: tuple[str, ...] = ()
    expires_at: datetime | None = None
    text_hash: str = field(default="", repr=False)

    @classmethod
    def of(cls, principal: Principal) -> "Bounds":
        """Read the bounds of a caller's credential."""
        own = APIKey.objects.filter(pk=principal.credential_id)
        row = own.values_list("allowed_cidrs", "expires_at").first()
        cidrs, expires_at = row or ([], None)
        return cls(
            key_id=principal.credential_id if row else None,
            scopes=principal.scopes,
            cidrs=tuple(cidrs),
            expires_at=expires_at,
            text_hash=principal.text_hash,
        )

    def is_outlived_by(self, expires_at: datetime | None) -> bool:
        """Whether something that ends then, or never, lives longer."""
        return self.expires_at is not None and (expires_at is None or expires_at > self.expires_at)

    def checked_expiry(self, expires_at: datetime | None) -> datetime | None:
        """Give when a new key ends: with the caller's own, unless an earlier moment is named.

        Raises:
            ValidationFailed: The moment is later.
        """
        if expires_at is None:
            return self.expires_at
        if self.is_outlived_by(expires_at):
            raise ValidationFailed.of("expires_at", "Your own key ends before.")
        return expires_at

    def checked_text(self, key: APIKey) -> str:
        """Give the hash of the text that a rotation may replace.

        A key that rotates itself replaces the text it was sent with: of several at once one
        succeeds, and who has a replaced text in its grace cannot take the key over.

        Raises:
            PermissionDenied: Another key's new text would be wider or live longer.
        """
        if self.key_id == key.pk:
            return self.text_hash
        if self.cidrs:
            raise PermissionDenied("A key that is confined to networks rotates only itself.")
        if self.is_outlived_by(key.expires_at):
            raise PermissionDenied("Your own key ends before this one.")
        if self.scopes and not key.scopes:
            raise PermissionDenied("Your own credential has scopes; this key has none.")
        return key.secret_hash
