"""No token, however odd, is an error of ours: signed nonsense is refused like unsigned."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from authz.identity.signing_keys import ring_of
from authz.identity.tokens import AccessToken
from tests.api_client import ApiClient
from tests.authz.conftest import ED25519, LogIn


def signed(claims: dict[str, Any], *, kid: Any = "k1", algorithm: str = "", key: Any = "") -> str:
    own = ring_of(tuple(settings.JWT_SIGNING_KEYS.items()))["k1"]
    algorithm = algorithm or own.algorithm
    return jwt.encode(claims, key or own.private, algorithm=algorithm, headers={"kid": kid})


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    plain = {
        "token_type": "access",
        "iat": now,
        "exp": now + 60,
        "jti": uuid4().hex,
        "sub": str(uuid4()),
        "sid": str(uuid4()),
        "aud": settings.TOKEN_AUDIENCE,
        "iss": settings.TOKEN_ISSUER,
    }
    return {name: value for name, value in (plain | changes).items() if value is not ...}


NOT_IDS = (5, None, [], {}, "x", "\x00", ...)
ODD_CLAIMS = [
    *({name: value} for name in ("sub", "sid", "jti") for value in NOT_IDS),
    {"exp": 1}, {"exp": "soon"}, {"exp": 10**30}, {"exp": ...}, {"exp": float("1e308")},
    {"iat": "x"}, {"nbf": 10**11}, {"aud": "others"}, {"aud": 5}, {"iss": "others"},
    {"token_type": "refresh"}, {"token_type": 5}, {"token_type": ...}, {"extra": "x" * 5000},
]  # fmt: skip


@pytest.mark.parametrize("changes", ODD_CLAIMS, ids=str)
@pytest.mark.django_db
def test_signed_nonsense_is_refused(ring: None, changes: dict[str, Any]) -> None:
    try:
        token = signed(claims(**changes))
    except (TypeError, ValueError):
        pytest.skip("the library does not sign this")
    ApiClient(token).refused(401, "GET", "auth/me")


@pytest.mark.parametrize(
    "token",
    [
        "x", "a.b.c", "...", "eyJhbGciOiJub25lIn0.e30.", "intmod_", "é", "x" * 20_000, "null",
    ],
    ids=lambda token: token[:20],
)  # fmt: skip
@pytest.mark.django_db
def test_what_is_no_token_is_refused(ring: None, token: str) -> None:
    ApiClient(token).refused(401, "GET", "auth/me")


FOREIGN = Ed25519PrivateKey.generate()


@pytest.mark.parametrize(
    "forged",
    [
        lambda: signed(claims(), kid="unknown"),
        lambda: signed(claims(), key="x" * 40, algorithm="HS256"),
        lambda: signed(claims(), key=FOREIGN, algorithm="EdDSA"),
        lambda: signed(claims(), key="x" * 64, algorithm="HS512"),
        lambda: signed(claims(), key="x" * 40, algorithm="HS256", kid=["k1"]),
    ],
    ids=["unknown key", "HS256", "EdDSA", "HS512", "list of keys"],
)
def test_what_we_did_not_sign_is_refused(
    ring: None, log_in: LogIn, forged: Callable[[], str]
) -> None:
    ApiClient(log_in()["access"]).ok("GET", "auth/me")
    try:
        token = forged()
    except jwt.PyJWTError:
        pytest.skip("the library does not sign this")
    ApiClient(token).refused(401, "GET", "auth/me")


@pytest.mark.parametrize("ring", ["EdDSA"], indirect=True)
def test_a_public_key_is_no_shared_secret(ring: None, log_in: LogIn) -> None:
    """Whoever has the public key must not sign with it as if it were text (RFC 8725, 2.1)."""
    own = ring_of(tuple(settings.JWT_SIGNING_KEYS.items()))["k1"]
    real = log_in()["access"]
    payload = real.split(".")[1]
    assert isinstance(own.public, Ed25519PublicKey)
    pem = own.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    raw = own.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    for secret in (pem, raw, base64.urlsafe_b64encode(raw), b"", b"None"):
        for name, digest in (("HS256", "sha256"), ("HS512", "sha512"), ("none", None)):
            head = {"alg": name, "typ": "JWT", "kid": "k1"}
            content = base64.urlsafe_b64encode(json.dumps(head).encode()).rstrip(b"=")
            content += b"." + payload.encode()
            code = hmac.digest(secret, content, digest) if digest else b""
            token = content + b"." + base64.urlsafe_b64encode(code).rstrip(b"=")
            ApiClient(token.decode()).refused(401, "GET", "auth/me")
    ApiClient(real).ok("GET", "auth/me")


def test_an_algorithm_is_that_of_the_key_and_not_of_the_token(log_in: LogIn, settings: Any) -> None:
    settings.JWT_SIGNING_KEYS = {"e": ED25519, "h": "n" * 48}
    ring = ring_of(tuple(settings.JWT_SIGNING_KEYS.items()))
    real = jwt.decode(log_in()["access"], options={"verify_signature": False})
    for kid, other in (("e", "h"), ("h", "e")):
        key = ring[other]
        token = jwt.encode(real, key.private, algorithm=key.algorithm, headers={"kid": kid})
        ApiClient(token).refused(401, "GET", "auth/me")
        token = jwt.encode(real, key.private, algorithm=key.algorithm, headers={"kid": other})
        ApiClient(token).ok("GET", "auth/me")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x"])
@pytest.mark.django_db
def test_odd_headers_are_refused(header: str) -> None:
    response = ApiClient().call("GET", "auth/me", Authorization=header)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("old", "new"), [("HS256", "EdDSA"), ("EdDSA", "HS256")])
def test_keys_rotate_without_logging_anyone_out(
    log_in: LogIn, settings: Any, old: str, new: str
) -> None:
    texts = {"HS256": "n" * 48, "EdDSA": ED25519}
    settings.JWT_SIGNING_KEYS = {"k1": texts[old]}
    pair = log_in()
    settings.JWT_SIGNING_KEYS = {"k2": texts[new], "k1": texts[old]}
    ApiClient(pair["access"]).ok("GET", "auth/me")
    newer = ApiClient().ok("POST", "auth/token/refresh", {"refresh": pair["refresh"]})["access"]
    header = jwt.get_unverified_header(newer)
    assert (header["kid"], header["alg"]) == ("k2", new)
    settings.JWT_SIGNING_KEYS = {"k2": texts[new]}
    ApiClient(pair["access"]).refused(401, "GET", "auth/me")
    ApiClient(newer).ok("GET", "auth/me")


def test_a_token_names_its_session(log_in: LogIn) -> None:
    token = AccessToken(log_in()["access"])  # type: ignore[arg-type]
    assert token.session_id != token.token_id
