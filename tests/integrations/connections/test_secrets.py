"""An integration's key goes in by the API and never comes out; what stands for it keeps it."""

from typing import Any

import pytest

from authz.models import AuditEvent, Membership
from authz.secrets.fields import SECRET_MASK
from integrations.models import Integration
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.factories.integrations import IntegrationFactory

SECRET = "sk-very-secret-key-1234"
PATH = "integration/external/crm"


@pytest.fixture
def member(db: None) -> Membership:
    return MembershipFactory()


@pytest.fixture
def api(member: Membership) -> ApiClient:
    IntegrationFactory(project=member.project, name="crm", api_key=SECRET)
    return ApiClient(api_key_for(member))


def stored() -> Any:
    return Integration.objects.get(name="crm").api_key


def test_what_is_shown_of_it_tells_keys_apart_and_no_more(api: ApiClient, member: Any) -> None:
    IntegrationFactory(project=member.project, name="same", api_key=SECRET)
    IntegrationFactory(project=member.project, name="none")
    shown = {row["name"]: row for row in api.ok("GET", "integration/external")["results"]}
    assert shown["crm"]["api_key"] == "…1234"
    assert shown["crm"]["api_key_fingerprint"] == shown["same"]["api_key_fingerprint"]
    assert shown["none"]["api_key"] is shown["none"]["api_key_fingerprint"] is None
    assert SECRET not in str(shown)


@pytest.mark.parametrize("mask", [SECRET_MASK, "…1234"])
def test_what_stands_for_the_key_keeps_it(api: ApiClient, mask: str) -> None:
    api.ok("PATCH", PATH, {"api_key": mask, "description": "kept"})
    assert stored().reveal() == SECRET
    assert "api_key" not in AuditEvent.objects.latest("id").changes
    moved = {"api_key": mask, "base_url": "https://elsewhere.example.com"}
    api.refused(400, "PATCH", PATH, moved)
    api.refused(400, "PATCH", PATH, {"api_key": "…9999"})
    assert stored().reveal() == SECRET, "what stands for another key is no key that can be sent"


def test_the_key_is_replaced_and_removed(api: ApiClient) -> None:
    api.ok("PATCH", PATH, {"api_key": "another"})
    assert stored().reveal() == "another"
    change = AuditEvent.objects.latest("id").changes["api_key"]
    assert [value.startswith("secret:") for value in change] == [True, True]
    api.ok("PATCH", PATH, {"api_key": None})
    assert stored() is None


def test_a_key_whose_encryption_key_is_gone_is_told_and_can_be_set_anew(
    api: ApiClient, settings: Any
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = {"k2": "n" * 48}
    answer = api.ok("GET", PATH)
    assert (answer["api_key"], answer["api_key_fingerprint"]) == ("unreadable", "unreadable")
    api.ok("PATCH", PATH, {"description": "changed"})
    api.ok("PATCH", PATH, {"api_key": "new"})
    assert stored().reveal() == "new"
