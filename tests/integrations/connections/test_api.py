"""Registering external systems over the API: checked, and their secrets never shown."""

from typing import Any

import pytest

from authz.models import AuditEvent
from integrations.connections.connection import connection_of
from integrations.models import Integration
from registry.models import ModelVersion
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.factories.integrations import IntegrationFactory
from tests.factories.registry import ModelVersionFactory

PATH = "integration/external"
SECRET = "sk-very-secret-key-1234"
BODY = {"name": "openai", "base_url": "https://api.openai.com/v1", "api_key": SECRET}


@pytest.fixture
def api(db: None) -> ApiClient:
    return ApiClient(api_key_for(MembershipFactory(project__slug="shop")))


def test_the_life_of_an_integration(api: ApiClient) -> None:
    created = api.ok("POST", PATH, {**BODY, "timeout_s": 60, "headers": {"X-Team": "search"}})
    assert created["api_key"] == "…1234"
    assert (created["timeout_s"], created["max_retries"], created["retry_delay_s"]) == (60, 3, 1)
    assert api.ok("GET", f"{PATH}/openai") == created
    changed = api.ok("PATCH", f"{PATH}/openai", {"is_active": False})
    assert (changed["is_active"], changed["api_key"]) == (False, "…1234")
    assert [row["name"] for row in api.ok("GET", PATH)["results"]] == ["openai"]
    api.ok("DELETE", f"{PATH}/openai")
    api.refused(404, "GET", f"{PATH}/openai")


def test_the_secret_is_written_and_never_read(api: ApiClient) -> None:
    api.ok("POST", PATH, BODY)
    api.ok("PATCH", f"{PATH}/openai", {"api_key": "********"})
    assert Integration.objects.get().api_key.reveal() == SECRET, "the mask replaced the secret"
    connection = connection_of(Integration.objects.get())
    assert connection.api_key == SECRET
    shown = [str(api.ok("GET", PATH)), str(list(AuditEvent.objects.values())), repr(connection)]
    assert not [text for text in shown if SECRET in text]
    api.ok("PATCH", f"{PATH}/openai", {"api_key": None})
    assert Integration.objects.get().api_key is None


def test_a_change_of_the_secret_is_seen_in_the_audit_log(api: ApiClient) -> None:
    api.ok("POST", PATH, BODY)
    api.ok("PATCH", f"{PATH}/openai", {"api_key": "sk-another-secret-9999"})
    before, after = AuditEvent.objects.get(action="integration.update").changes["api_key"]
    assert before != after
    assert before.startswith("secret:")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": "a b"}, "/name"),
        ({"name": "UPPER"}, "/name"),
        ({"base_url": "ftp://example.com"}, "/base_url"),
        ({"base_url": "https://user:pass@example.com"}, "/base_url"),
        ({"base_url": "https://exa mple.com"}, "/base_url"),
        ({"base_url": "not a url"}, "/base_url"),
        ({"base_url": 5}, "/base_url"),
        ({"timeout_s": 0}, "/timeout_s"),
        ({"timeout_s": "30"}, "/timeout_s"),
        ({"connect_timeout_s": 1e9}, "/connect_timeout_s"),
        ({"max_retries": 11}, "/max_retries"),
        ({"max_retries": 1.0}, "/max_retries"),
        ({"retry_delay_s": -1}, "/retry_delay_s"),
        ({"headers": {"Host": "evil"}}, "/headers"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "/headers"),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "/headers"),
        ({"headers": {"X A": "a"}}, "/headers"),
        ({"headers": {"Authorization": "Bearer x"}}, "/headers"),
        ({"headers": {"X-Api-Key": "x"}}, "/headers"),
        ({"headers": {"X-A": 5}}, "/headers/X-A"),
        ({"timeout": 30}, "/timeout"),
        ({"name": "request"}, "/name"),
        ({"base_url": "https://api.example.com/?a=1"}, "/base_url"),
        ({"auth_scheme": "kerberos"}, "/auth_scheme"),
        ({"auth_scheme": "basic"}, "/auth_settings/username"),
        ({"auth_scheme": "hmac", "api_key": None}, "/api_key"),
        ({"auth_settings": {"x": "y"}}, "/auth_settings"),
        ({"auth_settings": []}, "/auth_settings"),
        ({"api_key": "a\nb"}, "/api_key"),
        ({"api_key": "\u00e9"}, "/api_key"),
        ({"max_redirects": 4}, "/max_redirects"),
        ({"requests_per_minute": 0}, "/requests_per_minute"),
        ({"requests_per_minute": 2**63 - 1}, "/requests_per_minute"),
        ({"parallel_calls": 1001}, "/parallel_calls"),
        ({"response_limit_bytes": 2**31}, "/response_limit_bytes"),
        ({"allowed_networks": ["10.0.0.0/33"]}, "/allowed_networks/0"),
        ({"allowed_networks": ["10.0.0.0/8", "fe80::%eth0/64"]}, "/allowed_networks/1"),
        ({"allowed_networks": "10.0.0.0/8"}, "/allowed_networks"),
        ({"test_endpoint": "/../x"}, "/test_endpoint"),
        ({"logs_bodies": 1}, "/logs_bodies"),
    ],
)
def test_odd_fields_are_named(api: ApiClient, changes: dict[str, Any], path: str) -> None:
    envelope = api.refused(400, "POST", PATH, {**BODY, **changes})
    assert [field["path"] for field in envelope["error_details"]["fields"]] == [path]
    assert SECRET not in str(envelope)
    assert not Integration.objects.exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timeout", "Unknown field; here it is timeout_s."),
        ("retry_delay", "Unknown field; here it is retry_delay_s."),
        ("response_limit", "Unknown field; here it is response_limit_bytes."),
        ("retry", "Unknown field."),
    ],
)
def test_a_field_without_its_unit_is_told_its_name(api: ApiClient, name: str, message: str) -> None:
    envelope = api.refused(400, "POST", PATH, {**BODY, name: 30})
    assert envelope["error_details"]["fields"][0]["message"] == message


def test_a_name_stands_once(api: ApiClient) -> None:
    api.ok("POST", PATH, BODY)
    envelope = api.refused(409, "POST", PATH, BODY)
    assert envelope["error"] == "There is an integration called openai already."
    api.ok("POST", PATH, {**BODY, "name": "other"})
    api.refused(409, "PATCH", f"{PATH}/other", {"name": "openai"})


def test_what_is_in_use_stays(api: ApiClient) -> None:
    api.ok("POST", PATH, BODY)
    integration = Integration.objects.get()
    version: ModelVersion = ModelVersionFactory(
        model__project=integration.project, integration=integration
    )
    api.refused(409, "DELETE", f"{PATH}/openai")
    assert version.integration == integration
    assert Integration.objects.exists()
    assert not AuditEvent.objects.filter(action="integration.delete").exists()


def test_another_projects_integration_is_not_there(api: ApiClient) -> None:
    theirs = IntegrationFactory()
    for method, body in (("GET", None), ("PATCH", {"is_active": False}), ("DELETE", None)):
        api.refused(404, method, f"{PATH}/{theirs.name}", body)
    assert api.ok("GET", PATH)["results"] == []
    body = {"provider": "x", "provider_model": "y", "integration": theirs.name}
    api.ok("POST", "registry/models", {"name": "m", "model_type": "llm"})
    api.refused(400, "POST", "registry/models/m/versions", body)


def test_a_stored_secret_does_not_follow_a_url_to_another_host(api: ApiClient) -> None:
    api.ok("POST", PATH, BODY)
    path, elsewhere = f"{PATH}/openai", {"base_url": "https://elsewhere.example.com/v1"}
    for changes in (elsewhere, {**elsewhere, "api_key": "********"}):
        envelope = api.refused(400, "PATCH", path, changes)
        assert envelope["error_details"]["fields"][0]["path"] == "/api_key"
    api.ok("PATCH", path, {"base_url": "https://api.openai.com/v2"})
    api.ok("PATCH", path, {**elsewhere, "api_key": "sk-of-elsewhere-5678"})
    assert Integration.objects.get().api_key.reveal() == "sk-of-elsewhere-5678"


def test_a_stored_secret_is_not_shown_to_more_by_another_scheme(api: ApiClient) -> None:
    api.ok("POST", PATH, {**BODY, "auth_scheme": "hmac"})
    envelope = api.refused(400, "PATCH", f"{PATH}/openai", {"auth_scheme": "bearer"})
    assert envelope["error_details"]["fields"][0]["path"] == "/api_key"
    api.ok("PATCH", f"{PATH}/openai", {"base_url": "https://elsewhere.example.com"})
    api.ok("PATCH", f"{PATH}/openai", {"auth_scheme": "bearer", "api_key": SECRET})
