import pytest

from tests.integrations.connections.auth.proofs import prove, refused


def test_the_secret_is_a_parameter() -> None:
    assert prove("query_key", secret="a b&c").url.endswith("?a=1&api_key=a%20b%26c")
    bare = prove("query_key", {"parameter": "key"}, url="https://api.example.com/v1")
    assert bare.url == "https://api.example.com/v1?key=s3cret-value"


@pytest.mark.parametrize("name", ["a b", "a&b", "", "a=b", 5])
def test_odd_parameters_are_refused(name: object) -> None:
    assert refused("query_key", {"parameter": name}) == "/auth_settings/parameter"
