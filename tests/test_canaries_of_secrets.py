"""Every column of secrets has one planted; no answer, page, event, dump or log line shows any."""

import base64
import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.test import Client

from authz.models import AuditEvent, User
from authz.secrets.fields import SECRET_MASK
from authz.secrets.rotation import columns
from integrations.connections.auth import SCHEMES
from integrations.connections.services import register_integration
from integrations.models import AccessToken, Integration, WebhookEndpoint
from integrations.webhooks import rotation
from integrations.webhooks.inbound import rotation as inbound_rotation
from tests.admin.forms import submit, url
from tests.admin.world import ACTOR, PASSWORD
from tests.api_client import ApiClient
from tests.authz.matrix import places
from tests.authz.matrix.places import Places
from tests.authz.matrix.routes import is_page, routes
from tests.test_canaries import logged

__all__ = ["logged"]

SETTINGS: dict[str, dict[str, Any]] = {
    "basic": {"username": "intmod"},
    "header_key": {"header": "X-Canary"},
    "query_key": {"parameter": "canary"},
    "hmac": {},
    "oauth2_client_credentials": {"token_url": "https://issuer.invalid/token", "client_id": "us"},
}
TOKEN = "canary-access-token-0123456789"


def canary(scheme: str) -> str:
    return f"canary-{scheme}-0123456789abcdef"


def hook_secret(name: str) -> str:
    return "whsec_" + base64.b64encode(canary(name).ljust(33, ".").encode()).decode()


OLD_HOOK, NEW_HOOK = hook_secret("hook-old"), hook_secret("hook-new")
OLD_SOURCE, NEW_SOURCE = hook_secret("source-old"), hook_secret("source-new")


@dataclass
class Planted:
    there: Places
    secrets: set[str]
    integrations: list[Integration]


@pytest.fixture
def planted(db: None) -> Planted:
    """Plant a secret with each way of calling out, each sender and each receiver."""
    there = places.build()
    world = there.world
    made = [
        register_integration(
            actor=ACTOR, project=world.project, name=name.replace("_", "-"),
            base_url="https://x.invalid", auth_scheme=name, api_key=canary(name),
            auth_settings=SETTINGS.get(name, {}),
        )
        for name, scheme in SCHEMES.items()
        if scheme.needs_secret
    ]  # fmt: skip
    AccessToken.objects.create(integration=made[-1], token=TOKEN)
    endpoint = WebhookEndpoint.objects.get()
    for secret in (OLD_HOOK, NEW_HOOK):
        endpoint = rotation.rotate_secret(actor=ACTOR, endpoint=endpoint, secret=secret)
    source = there.source
    for secret in (OLD_SOURCE, NEW_SOURCE):
        source = inbound_rotation.rotate_secret(actor=ACTOR, source=source, secret=secret)[0]
    secrets = {canary(one.auth_scheme) for one in made}
    secrets |= {TOKEN, OLD_HOOK, NEW_HOOK, OLD_SOURCE, NEW_SOURCE}
    # As it is read where the prefix is left away.
    secrets |= {secret.removeprefix("whsec_") for secret in secrets}
    return Planted(there, secrets, made)


@pytest.fixture
def staff(planted: Planted) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(planted.there.world.staff)
    return client


@pytest.fixture
def api(planted: Planted) -> ApiClient:
    return ApiClient(planted.there.world.key_text)


def leaks(text: str, planted: Planted) -> list[str]:
    return [secret for secret in planted.secrets if secret in text]


def test_every_column_of_secrets_has_one_planted(planted: Planted) -> None:
    """A model that is added must be planted here: it fails until then."""
    for model, column in columns():
        stored = [getattr(row, column.attname) for row in model._base_manager.all()]
        plain = " ".join(one.reveal() for one in stored if one)
        assert leaks(plain, planted), f"{model.__name__}.{column.attname}"


def test_no_answer_of_any_route_has_one(
    planted: Planted, api: ApiClient, logged: list[str]
) -> None:
    names = [one.name for one in planted.integrations]
    found, answered = [], 0
    for route in routes():
        if is_page(route) or route.startswith("static"):
            continue
        paths = {planted.there.path(route)}
        if route.startswith(f"{places.V1}/integration/") and "<str:name>" in route:
            paths |= {next(iter(paths)).replace("/erp", f"/{name}") for name in names}
        for path in paths:
            answer = api.call("GET", path)
            answered += answer.status_code == 200
            if leaks(answer.getvalue().decode(), planted):
                found.append(path)
    assert found == []
    assert answered > 60
    assert leaks("\n".join(logged), planted) == []


def test_no_page_of_the_admin_has_one(planted: Planted, staff: Client, logged: list[str]) -> None:
    rows: list[Any] = [*planted.there.world.objects, *planted.integrations]
    rows += [AuditEvent.objects.latest("id")]
    pages = [url(row, page) for row in rows for page in ("change", "history")]
    pages += [url(type(row), "changelist") for row in rows]
    pages = list(dict.fromkeys(pages))
    found = [page for page in pages if leaks(staff.get(page).content.decode(), planted)]
    assert found == []
    assert leaks("\n".join(logged), planted) == []


def test_neither_the_audit_log_nor_a_dump_has_one(planted: Planted) -> None:
    told = json.dumps(list(AuditEvent.objects.values()), default=str)
    assert "webhookendpoint.rotate" in told
    out = io.StringIO()
    call_command("dumpdata", stdout=out)
    for model, _ in columns():
        assert f'"model": "{model._meta.label_lower}"' in out.getvalue()
    assert leaks(told + out.getvalue(), planted) == []


def test_a_fault_shows_none(
    planted: Planted, api: ApiClient, staff: Client, logged: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A bug where secrets are in the hand: neither answer nor page nor traceback has them."""

    def fail(*_: Any) -> str:
        plain = [one.api_key.reveal() for one in planted.integrations]
        raise RuntimeError(f"a bug beside {len(plain)} secrets")

    monkeypatch.setattr(Integration, "__str__", fail)
    monkeypatch.setattr("integrations.connections.serializers.IntegrationAnswer.get_api_key", fail)
    text = ""
    for one in planted.integrations:
        answer = api.call("GET", f"integration/external/{one.name}")
        page = staff.get(url(one, "change"))
        assert (answer.status_code, page.status_code) == (500, 500)
        text += answer.content.decode() + page.content.decode()
    assert leaks(text, planted) == []
    assert "a bug beside" in "\n".join(logged)
    assert leaks("\n".join(logged), planted) == []


def test_the_mask_sent_back_keeps_each(planted: Planted, api: ApiClient, staff: Client) -> None:
    for one in planted.integrations:
        path = f"integration/external/{one.name}"
        shown = api.ok("GET", path)["api_key"]
        for sent in (SECRET_MASK, shown):
            api.ok("PATCH", path, {"api_key": sent, "description": sent})
        assert submit(staff, one, new_api_key=SECRET_MASK).status_code == 302
        stored: Any = Integration.objects.get(pk=one.pk).api_key
        assert stored.reveal() == canary(one.auth_scheme)


def test_a_ciphertext_of_any_column_decrypts_in_its_place_only(planted: Planted) -> None:
    """Each column's ciphertext is put into each other row and column of secrets."""
    stored = [
        (row, column, getattr(row, column.attname))
        for model, column in columns()
        for row in model._base_manager.all()
        if getattr(row, column.attname)
    ]
    assert len(stored) >= 10
    for row, column, secret in stored:
        for other, there, _ in stored:
            if (row.pk, column, type(row)) != (other.pk, there, type(other)):
                setattr(other, there.attname, secret)
                assert getattr(other, there.attname).shown()[0] == "unreadable", (column, there)


def test_passwords_are_nowhere(planted: Planted, staff: Client, api: ApiClient) -> None:
    user = planted.there.world.staff
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD))
    told = staff.get(url(user, "change")).content.decode() + str(api.ok("GET", "auth/me"))
    assert PASSWORD not in told
    assert User.objects.get(pk=user.pk).password not in told
