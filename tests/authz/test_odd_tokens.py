"""No token, however odd, is an error of ours: signed nonsense is refused like unsigned."""

import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings

from authz.identity.tokens import AccessToken
from tests.api_client import ApiClient
from tests.authz.conftest import LogIn


def signed(
    claims: dict[str, Any], *, kid: Any = "k1", algorithm: str = "HS256", key: str = ""
) -> str:
    key = key or next(iter(settings.JWT_SIGNING_KEYS.values()))
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


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
def test_signed_nonsense_is_refused(changes: dict[str, Any]) -> None:
    try:
        token = signed(claims(**changes))
    except (TypeError, ValueError):
        pytest.skip("the library does not sign this")
    ApiClient(token).refused(401, "GET", "auth/me")


@pytest.mark.parametrize(
    "token",
    [
        "x", "a.b.c", "...", "eyJhbGciOiJub25lIn0.e30.", "intmod_", "é", "x" * 20_000, "null",
        signed(claims(), kid="unknown"), signed(claims(), kid="k1", key="x" * 40),
        signed(claims(), algorithm="HS512"),
    ],
    ids=lambda token: token[:20],
)  # fmt: skip
@pytest.mark.django_db
def test_what_we_did_not_sign_is_refused(token: str) -> None:
    ApiClient(token).refused(401, "GET", "auth/me")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x"])
@pytest.mark.django_db
def test_odd_headers_are_refused(header: str) -> None:
    response = ApiClient().call("GET", "auth/me", Authorization=header)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_keys_rotate_without_logging_anyone_out(log_in: LogIn, settings: Any) -> None:
    old = dict(settings.JWT_SIGNING_KEYS)
    access = log_in()["access"]
    settings.JWT_SIGNING_KEYS = {"k2": "n" * 48, **old}
    ApiClient(access).ok("GET", "auth/me")
    newer = log_in()["access"]
    assert jwt.get_unverified_header(newer)["kid"] == "k2"
    settings.JWT_SIGNING_KEYS = {"k2": "n" * 48}
    ApiClient(access).refused(401, "GET", "auth/me")
    ApiClient(newer).ok("GET", "auth/me")


def test_a_token_names_its_session(log_in: LogIn) -> None:
    token = AccessToken(log_in()["access"])  # type: ignore[arg-type]
    assert token.session_id != token.token_id
