"""Secrets are nowhere but where they belong: planted everywhere, then looked for everywhere."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.core.management import call_command
from django.test import Client

from authz.identity import sessions
from authz.models import AuditEvent, User
from integrations.models import Integration
from intmod_site.logs import JSONFormatter
from tests.admin.forms import submit, url
from tests.admin.heard import HEARD_SECRET
from tests.admin.test_pages import ADDABLE
from tests.admin.world import PASSWORD, SECRET, World, build
from tests.api_client import ApiClient
from tests.schema_check import BASE, openapi

EMAIL, FULL_NAME = "canary.ada@example.com", "Canary Lovelace"
TYPED = "sk-canary-typed-5501"
PERSONAL = {EMAIL, FULL_NAME}
"""Staff see them on the user's page; the audit log, logs and other pages show none of them."""


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Every line that any logger writes, as it would be written."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JSONFormatter().format(record))

    handler = Keep(level=logging.DEBUG)
    root = logging.getLogger()
    caplog.set_level(logging.DEBUG)
    root.addHandler(handler)
    yield lines
    root.removeHandler(handler)


@pytest.fixture
def world(db: None) -> World:
    world = build()
    User.objects.filter(pk=world.staff.pk).update(email=EMAIL, full_name=FULL_NAME)
    return world


@pytest.fixture
def tokens(world: World) -> dict[str, str]:
    tokens = sessions.log_in(username="ada", password=PASSWORD)
    return {"access": tokens.access, "refresh": tokens.refresh}


@pytest.fixture
def planted(world: World, tokens: dict[str, str]) -> set[str]:
    """Everything secret that there is."""
    keys = [
        settings.SECRET_KEY, settings.AUDIT_KEY, settings.API_KEY_PEPPER, settings.METRICS_TOKEN,
        *settings.JWT_SIGNING_KEYS.values(), *settings.FIELD_ENCRYPTION_KEYS.values(),
    ]  # fmt: skip
    return {SECRET, HEARD_SECRET, TYPED, PASSWORD, world.key_text, *tokens.values(), *keys}


@pytest.fixture
def staff(world: World) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(world.staff)
    return client


def leaks(text: str, planted: set[str]) -> list[str]:
    return [secret for secret in planted if secret in text]


def fill(path: str, world: World) -> str:
    """Put ids of what there is into a route's parameters."""
    owner = path.split("/")[3:5]
    ids: dict[str, Any] = {
        "name": {"external": "crm", "models": "smol"}.get(owner[-1], "smol"),
        "number": 1, "alias": "champion", "model_id": world.version.identifier,
        "policy_id": world.policy.pk, "user_id": world.staff.pk,
        "id": {"policies": world.policy.pk, "audit": AuditEvent.objects.latest("id").pk}.get(
            owner[0], world.key.pk
        ),
    }  # fmt: skip
    for name, value in ids.items():
        path = path.replace("{" + name + "}", str(value))
    return path


def test_no_answer_of_the_api_has_a_secret(
    world: World, planted: set[str], tokens: dict[str, str], logged: list[str]
) -> None:
    api = ApiClient(tokens["access"])
    found, answered = [], 0
    for path, item in openapi()["paths"].items():
        if not path.startswith(BASE) or "{" in fill(path, world):
            continue
        for method in {"get", "post", "put", "patch"} & set(item):
            body = (
                None if method == "get" else {"api_key": TYPED, "password": PASSWORD, "x": SECRET}
            )
            response = api.call(method.upper(), fill(path, world), body)
            answered += response.status_code == 200
            if leaks(b"".join(response).decode(), planted | PERSONAL):
                found.append((method, path))
    assert found == []
    assert answered >= 15
    assert leaks("\n".join(logged), planted | PERSONAL) == []


def test_what_the_api_is_told_it_does_not_tell(
    world: World, planted: set[str], tokens: dict[str, str], logged: list[str]
) -> None:
    api = ApiClient(tokens["access"])
    body = {"name": "other", "base_url": "https://x.example.com", "api_key": TYPED}
    asked = [
        ("POST", "integration/external", body),
        ("POST", "integration/external", body | {"base_url": "ftp://x"}),
        ("POST", "integration/external", body | {"api_key": [TYPED]}),
        ("POST", "integration/external", body | {"api_key": TYPED * 1000}),
        ("POST", "integration/external", body | {"headers": {"Authorization": TYPED}}),
        ("POST", "auth/token", {"username": TYPED, "password": PASSWORD}),
        ("POST", "auth/token", {"username": "ada", "password": [PASSWORD]}),
        ("POST", "auth/token/refresh", {"refresh": tokens["refresh"] + "x"}),
        ("POST", "auth/token/verify", {"token": world.key_text}),
        ("PATCH", "integration/external/crm", {"api_key": TYPED}),
        ("POST", "integration/webhook/sources", {"name": "in", "secret": TYPED + "é"}),
        ("POST", "integration/webhook/sources", {"name": "in", "secret": [TYPED]}),
        ("PATCH", "integration/webhook/sources/heard", {"secret": TYPED}),
    ]
    for method, path, sent in asked:
        response = api.call(method, path, sent)
        assert leaks(response.content.decode(), planted) == [], (path, sent)
    ApiClient(world.key_text + "x").refused(401, "GET", "auth/me")
    assert Integration.objects.get(name="crm").api_key.reveal() == TYPED
    assert leaks("\n".join(logged), planted) == []


def test_no_page_of_the_admin_has_a_secret(
    world: World, planted: set[str], staff: Client, logged: list[str]
) -> None:
    submit(staff, world.integration, new_api_key=TYPED)
    staff.post("/admin/login/", {"username": "ada", "password": PASSWORD + "x"})
    pages = ["/admin/", *(url(model, "changelist") for model in admin.site._registry)]
    pages += [url(model, "add") for model in ADDABLE]
    for obj in [*world.objects, *AuditEvent.objects.all()]:
        pages += [url(obj, "change"), url(obj, "history"), url(obj, "delete")]
    found = [page for page in pages if leaks(staff.get(page).content.decode(), planted)]
    assert found == []
    assert leaks("\n".join(logged), planted | PERSONAL) == []


def test_no_event_of_the_audit_log_has_a_secret(
    world: World, planted: set[str], staff: Client
) -> None:
    submit(staff, world.integration, new_api_key=TYPED)
    submit(staff, world.staff, email="canary.new@example.com", full_name="Canary New")
    told = json.dumps(list(AuditEvent.objects.values()), default=str)
    assert "email" in told
    assert leaks(told, planted | PERSONAL | {"canary.new@example.com", "Canary New"}) == []


def test_neither_schema_nor_docs_nor_metrics_have_a_secret(
    world: World, planted: set[str], staff: Client
) -> None:
    headers = {"Authorization": f"Bearer {settings.METRICS_TOKEN}"}
    for page in ("/api/schema", "/api/docs", "/healthz", "/readyz", "/metrics"):
        response = staff.get(page, headers=headers)
        assert response.status_code == 200, page
        assert leaks(response.getvalue().decode(), planted | PERSONAL) == [], page


def test_no_error_page_has_a_secret(
    world: World,
    planted: set[str],
    staff: Client,
    tokens: dict[str, str],
    logged: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fault in the middle of everything: the page names its request, and nothing else."""

    def fail(self: Any) -> str:
        plaintext = SECRET  # noqa: F841 -- a local, which a page for debugging would show
        raise RuntimeError("a bug")

    monkeypatch.setattr(Integration, "__str__", fail)
    monkeypatch.setattr("integrations.connections.serializers.IntegrationAnswer.get_api_key", fail)
    page = staff.get(url(world.integration, "change"))
    api = ApiClient(tokens["access"])
    answer = api.call("GET", f"integration/external/crm?x={SECRET}")
    broken = api.call("GET", "integration/external/crm")
    assert (page.status_code, broken.status_code) == (500, 500)
    lost = staff.get(f"/admin/nothing/{world.integration.pk}/")
    forged = Client(enforce_csrf_checks=True).post("/admin/login/", {"password": PASSWORD})
    assert (lost.status_code, forged.status_code) == (404, 403)
    for response in (page, broken, lost, forged):
        assert leaks(response.content.decode(), planted | PERSONAL) == []
    assert leaks(answer.content.decode(), planted - {SECRET}) == []
    assert leaks("\n".join(logged), planted - {SECRET}) == []


def test_a_dump_of_the_database_has_no_secret(world: World, planted: set[str]) -> None:
    out = io.StringIO()
    call_command("dumpdata", stdout=out)
    assert "integrations.integration" in out.getvalue()
    assert leaks(out.getvalue(), planted) == []
