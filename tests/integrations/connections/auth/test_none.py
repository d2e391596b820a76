from integrations.connections.auth import SCHEMES
from tests.integrations.connections.auth.proofs import prove, refused


def test_nothing_is_put_on_the_request() -> None:
    request = prove("none")
    assert (request.headers, request.url.count("s3cret")) == ({"Accept": "*/*"}, 0)
    assert SCHEMES["none"].secret_goes_to("https://a.example", {}) == ()


def test_it_takes_no_settings() -> None:
    assert refused("none", {"header": "X"}) == "/auth_settings"
