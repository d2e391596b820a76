import pytest

from tests.integrations.connections.auth.proofs import prove, refused


def test_the_examples_of_rfc_7617() -> None:
    request = prove("basic", {"username": "Aladdin"}, secret="open sesame")
    assert request.headers["Authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    request = prove("basic", {"username": "test"}, secret="123\u00a3")
    assert request.headers["Authorization"] == "Basic dGVzdDoxMjPCow=="


@pytest.mark.parametrize("username", ["a:b", "", "a\nb", None, 5, "x" * 201])
def test_odd_user_names_are_refused(username: object) -> None:
    assert refused("basic", {"username": username}) == "/auth_settings/username"


def test_the_user_name_is_needed() -> None:
    assert refused("basic", {}) == "/auth_settings/username"
