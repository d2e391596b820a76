import pytest

from integrations.connections.auth import SCHEMES
from integrations.connections.auth.oauth2 import TokenRefused, read_token, token_request
from tests.integrations.connections.auth.proofs import prove, refused

NAME = "oauth2_client_credentials"
SETTINGS = {"token_url": "https://id.example.com/token", "client_id": "me"}


def test_the_token_is_a_bearer_token() -> None:
    assert prove(NAME, SETTINGS).headers["Authorization"] == "Bearer the-token"


def test_the_client_proves_itself_by_basic_or_in_the_body() -> None:
    asked = token_request(SETTINGS | {"scope": "a b"}, "p&ss")
    assert asked.headers["Authorization"] == "Basic bWU6cCUyNnNz"
    assert asked.body == b"grant_type=client_credentials&scope=a+b"
    asked = token_request(SETTINGS | {"client_auth": "body"}, "p&ss")
    assert "Authorization" not in asked.headers
    assert asked.body == b"grant_type=client_credentials&client_id=me&client_secret=p%26ss"


def test_the_secret_goes_to_both() -> None:
    seen = SCHEMES[NAME].secret_goes_to("https://api.example.com", SETTINGS)
    assert set(seen) == {"https://api.example.com", "https://id.example.com/token"}


@pytest.mark.parametrize(
    ("body", "lifetime_s"),
    [
        (b'{"access_token": "t", "token_type": "Bearer", "expires_in": 60}', 60),
        (b'{"access_token": "t", "token_type": "bearer", "expires_in": "60"}', 60),
        (b'{"access_token": "t"}', 300),
        (b'{"access_token": "t", "expires_in": -5}', 300),
        (b'{"access_token": "t", "expires_in": true}', 300),
        (b'{"access_token": "t", "expires_in": 9999999999}', 2_592_000),
    ],
)
def test_tokens_are_read(body: bytes, lifetime_s: float) -> None:
    assert read_token(200, body) == ("t", lifetime_s)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"not json", "has no access token"),
        (200, b"[]", "has no access token"),
        (200, b'{"access_token": ""}', "has no access token"),
        (200, b'{"access_token": "a\\nb"}', "has no access token"),
        (200, b'{"access_token": "t", "token_type": "mac"}', "not Bearer"),
        (401, b'{"error": "invalid_client"}', "answered 401 (invalid_client)"),
        (500, b'{"error": "<secret>"}', "answered 500."),
    ],
)
def test_what_is_no_token_is_refused(status: int, body: bytes, message: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        read_token(status, body)
    assert message in str(caught.value)
    assert "<secret>" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"client_id": "me"}, "/auth_settings/token_url"),
        ({"token_url": "https://id.example.com"}, "/auth_settings/client_id"),
        (SETTINGS | {"token_url": "file:///etc/passwd"}, "/auth_settings/token_url"),
        (SETTINGS | {"token_url": "https://u:p@id.example.com"}, "/auth_settings/token_url"),
        (SETTINGS | {"client_auth": "mtls"}, "/auth_settings/client_auth"),
        (SETTINGS | {"client_secret": "x"}, "/auth_settings"),
    ],
)
def test_odd_settings_are_refused(settings: dict[str, str], path: str) -> None:
    assert refused(NAME, settings) == path
