from tests.integrations.connections.auth.proofs import prove, refused


def test_the_secret_is_a_bearer_token() -> None:
    assert prove("bearer").headers["Authorization"] == "Bearer s3cret-value"


def test_without_a_secret_nothing_is_sent() -> None:
    assert "Authorization" not in prove("bearer", secret=None).headers


def test_it_takes_no_settings() -> None:
    assert refused("bearer", {"x": "y"}) == "/auth_settings"
