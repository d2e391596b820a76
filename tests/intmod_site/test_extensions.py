"""An endpoint, a middleware and a validator, all added by one module (sample_extension)."""

import pytest

from intmod_site.api.extensions import Extensions
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for


def test_an_added_endpoint_uses_its_serializer_validator_and_middleware(api: ApiClient) -> None:
    response = api.call("POST", "support/route", {"ticket": "T-7"})
    assert response.headers["X-Stamped"] == "yes"
    assert api.ok("POST", "support/route", {"ticket": "T-7"}) == {"queue": 3, "asked_by": "ada"}
    envelope = api.refused(400, "POST", "support/route", {"ticket": "7"})
    assert envelope["error"] == "ticket: Not a valid ticket."


def test_a_schema_does_what_a_serializer_does(api: ApiClient) -> None:
    answer = api.ok("PUT", "support/tickets/5", {"ticket": "T-7"})
    assert answer == {"queue": 5, "asked_by": "T-7"}
    for body, path in (({"ticket": "7"}, "/ticket"), ({}, "/"), ({"ticket": "T-1", "x": 1}, "/")):
        envelope = api.refused(400, "PUT", "support/tickets/5", body)
        assert envelope["error_details"]["fields"][0]["path"] == path


def test_an_added_endpoint_asks_for_its_permission(db: None) -> None:
    viewer = ApiClient(api_key_for(MembershipFactory(role_name="viewer")))
    viewer.refused(403, "POST", "support/route", {"ticket": "T-7"})
    ApiClient().refused(401, "POST", "support/route", {"ticket": "T-7"})


def test_added_middleware_stays_out_of_pages(db: None) -> None:
    assert "X-Stamped" not in ApiClient().get("/admin/login/").headers


@pytest.mark.parametrize("body", [b"5", b"[]", b'"x"', b"null", b"[[1, 2]]"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "support/route"), ("PUT", "support/tickets/5")]
)
def test_a_body_is_an_object_here_too(api: ApiClient, method: str, path: str, body: bytes) -> None:
    api.refused(400, method, path, raw=body)


def test_mistakes_of_an_extension_are_told_at_the_start() -> None:
    api = Extensions()
    api.add_validator("even", lambda value: value % 2 == 0)
    with pytest.raises(ValueError, match="even already"):
        api.add_validator("even", bool)
    with pytest.raises(ValueError, match="FETCH"):
        api.register_endpoint(path="x", method="FETCH", handler=lambda r, d: d, permission="a.b")
