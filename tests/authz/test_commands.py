"""Credentials from the command line: JSON for scripts, exit codes for shells."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from authz.models import APIKey, AuditEvent, Membership, User
from tests.api_client import ApiClient
from tests.authz.conftest import LogIn
from tests.factories.authz import api_key_for


def run(*words: str) -> Any:
    out = StringIO()
    call_command(*words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_an_account_and_its_key(member: Membership) -> None:
    made = run("create_service_account", "ci", "--project", "shop", "--owner", "ada")
    assert made["role"] == "developer"
    words = ("--project", "shop", "--name", "build", "--days", "7", "--cidr", "127.0.0.1")
    key = run("create_api_key", "ci", *words, "--scope", "registry.view_registeredmodel")
    me = ApiClient(key["key"]).ok("GET", "auth/me")
    assert (me["username"], me["permissions"]) == ("ci", ["registry.view_registeredmodel"])
    assert key["allowed_cidrs"] == ["127.0.0.1/32"]
    events = AuditEvent.objects.filter(actor_label="manage.py create_api_key")
    assert events.get().action == "apikey.create"


@pytest.mark.parametrize(
    "words",
    [
        ("create_service_account", "ada", "--project", "shop", "--owner", "ada"),
        ("create_service_account", "x y", "--project", "shop", "--owner", "ada"),
        ("create_service_account", "ci", "--project", "none", "--owner", "ada"),
        ("create_service_account", "ci", "--project", "shop", "--owner", "none"),
        ("create_api_key", "none", "--project", "shop", "--name", "x"),
        ("create_api_key", "ada", "--project", "shop", "--name", ""),
        ("create_api_key", "ada", "--project", "shop", "--name", "x", "--days", "0"),
        ("create_api_key", "ada", "--project", "shop", "--name", "x", "--scope", "a.b"),
        ("create_api_key", "ada", "--project", "shop", "--name", "x", "--cidr", "10.0.0.1/8"),
        ("issue_token", "none", "--project", "shop"),
        ("issue_token", "ada", "--project", "none"),
        ("issue_token", "ada", "--project", "shop", "--expires-in", "3601"),
        ("issue_token", "ada", "--project", "shop", "--scope", "a.b"),
        ("revoke_token", "x"),
        ("revoke_token", "intmod_x"),
    ],
)
def test_what_cannot_be_done_exits_with_1(member: Membership, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command(*words, stdout=StringIO())
    assert refused.value.returncode == 1
    assert User.objects.count() == 1
    assert not APIKey.objects.exists()


def test_tokens_without_a_password(member: Membership) -> None:
    scope = "registry.view_registeredmodel"
    pair = run("issue_token", "ada", "--project", "shop", "--scope", scope, "--expires-in", "60")
    assert pair["expires_in"] == 60
    assert ApiClient(pair["access"]).ok("GET", "auth/me")["permissions"] == [scope]
    ApiClient().ok("POST", "auth/token/refresh", {"refresh": pair["refresh"]})
    assert AuditEvent.objects.get(action="session.create").actor_label == "manage.py issue_token"


def test_revoking(member: Membership, log_in: LogIn) -> None:
    for credential in (api_key_for(member), log_in()["access"]):
        client = ApiClient(credential)
        client.ok("GET", "auth/me")
        assert run("revoke_token", credential) == {"revoked": True}
        client.refused(401, "GET", "auth/me")
        with pytest.raises(CommandError):
            call_command("revoke_token", credential, stdout=StringIO())
