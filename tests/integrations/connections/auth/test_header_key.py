import pytest

from tests.integrations.connections.auth.proofs import prove, refused


def test_the_secret_stands_in_a_header() -> None:
    assert prove("header_key").headers["X-API-Key"] == "s3cret-value"
    request = prove("header_key", {"header": "X-Auth", "prefix": "Token "})
    assert request.headers["X-Auth"] == "Token s3cret-value"


@pytest.mark.parametrize("name", ["Host", "content-length", "a b", "", "X\r\nY", 5, None])
def test_odd_headers_are_refused(name: object) -> None:
    assert refused("header_key", {"header": name}) == "/auth_settings/header"
