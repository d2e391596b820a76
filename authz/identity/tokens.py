"""JSON Web Tokens: simplejwt as the codec, our key ring, our claims.

A token names its session. Whether it still counts is asked of the session's row at every
request, so it ends when the session ends and not when its `exp` comes.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from django.utils import timezone
from jwt.algorithms import HMACAlgorithm
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.tokens import Token

from authz.identity import signing_keys


class RingHMAC(HMACAlgorithm):
    """HS256 with keys of our ring, which are bytes and were looked at when the ring was read.

    The library looks at each key anew for every token, whether it might be a certificate. That
    takes longer than the signature, and loads a part of `cryptography` that nothing else needs,
    which two requests must not do at the same moment (`intmod_site.lean_imports`).
    """

    def prepare_key(self, key: str | bytes) -> bytes:
        """Give a key of the ring as it is; let the library judge any other."""
        return key if isinstance(key, bytes) else super().prepare_key(key)


jwt.unregister_algorithm(signing_keys.HS256)
jwt.register_algorithm(signing_keys.HS256, RingHMAC(RingHMAC.SHA256))


class KeyRingBackend(TokenBackend):
    """Signs with the ring's newest key and verifies with the one that `kid` names, and its way."""

    def __init__(self) -> None:
        super().__init__(
            signing_keys.HS256,
            audience=settings.TOKEN_AUDIENCE,
            issuer=settings.TOKEN_ISSUER,
            leeway=settings.TOKEN_LEEWAY_S,
        )

    def encode(self, payload: dict[str, Any]) -> str:
        """Sign the claims."""
        key = signing_keys.signing_key(signing_keys.current_ring(), now=timezone.now())
        claims = {**payload, "aud": self.audience, "iss": self.issuer}
        return jwt.encode(claims, key.private, algorithm=key.algorithm, headers={"kid": key.kid})

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """Verify signature, expiry, audience and issuer; there is no way around verifying.

        Raises:
            TokenBackendError: It is not a token of ours that counts now.
        """
        try:
            key = signing_keys.current_ring()[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                key.public,
                algorithms=[key.algorithm],
                audience=self.audience,
                issuer=self.issuer,
                leeway=settings.TOKEN_LEEWAY_S,
                options={"require": ["exp", "iat", "jti", "sub"]},
            )
        except (
            jwt.InvalidTokenError,
            KeyError,
            TypeError,
            ValueError,
            OverflowError,
            RecursionError,
        ):
            raise TokenBackendError("Token is invalid or expired") from None
        return claims


class SessionToken(Token):
    """A token that belongs to a session."""

    @property
    def token_backend(self) -> KeyRingBackend:
        """Our codec instead of simplejwt's."""
        return KeyRingBackend()

    def get_token_backend(self) -> KeyRingBackend:
        """Our codec, by simplejwt's other name for it."""
        return self.token_backend

    def verify(self) -> None:
        """Check the claims.

        Raises:
            TokenError: One is missing or wrong, or is a moment that no calendar has.
        """
        try:
            super().verify()
        except (OverflowError, OSError, TypeError, ValueError):
            raise TokenError("Token is invalid or expired") from None

    @property
    def session_id(self) -> UUID:
        """The session it belongs to.

        Raises:
            TokenError: The claim is missing or is no id.
        """
        return _id_claim(self.payload, "sid")

    @property
    def token_id(self) -> UUID:
        """Its own id.

        Raises:
            TokenError: The claim is missing or is no id.
        """
        return _id_claim(self.payload, "jti")


class AccessToken(SessionToken):
    """What requests carry; lives minutes."""

    token_type = "access"  # noqa: S105
    lifetime = timedelta(seconds=settings.ACCESS_TOKEN_LIFETIME_S)


class RefreshToken(SessionToken):
    """What the next pair is fetched with; counts once."""

    token_type = "refresh"  # noqa: S105
    lifetime = timedelta(seconds=settings.REFRESH_TOKEN_LIFETIME_S)


def _id_claim(payload: dict[str, Any], name: str) -> UUID:
    try:
        return UUID(payload[name])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise TokenError("Token is invalid or expired") from None
