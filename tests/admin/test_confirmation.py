"""Pages that change secrets or access ask for the password again when it was typed long ago."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from authz.admin.confirmation import confirmed_models
from authz.models import AuditEvent, Project, User
from authz.secrets.fields import EncryptedTextField
from tests.factories.authz import PASSWORD, UserFactory

Traveller = Any
NOW_S = 1_800_000_000.0
USERS = "/admin/authz/user/"


@pytest.fixture
def clock() -> Iterator[Traveller]:
    with time_machine.travel(NOW_S, tick=False) as traveller:
        yield traveller


@pytest.fixture
def staff(db: None) -> User:
    return UserFactory(username="ada", is_staff=True, is_superuser=True)


@pytest.fixture
def browser(staff: User, clock: Traveller) -> Client:
    client = Client()
    answer = client.post("/admin/login/", {"username": "ada", "password": PASSWORD})
    assert answer.status_code == 302
    return client


def asked_for(answer: HttpResponse) -> str | None:
    """Give the page that one is brought to after the question; None if there is no question."""
    target = urlsplit(answer.headers.get("Location", ""))
    return parse_qs(target.query)["next"][0] if target.path == "/admin/confirm" else None


def confirm(browser: Client, password: str, then: str = "/admin/") -> HttpResponse:
    return browser.post("/admin/confirm", {"password": password, "next": then})


def test_after_a_while_one_is_asked_and_goes_on(
    browser: Client, clock: Traveller, staff: User
) -> None:
    page = f"{USERS}{staff.pk}/change/?_changelist_filters=q%3Dada"
    clock.shift(29 * 60)
    assert asked_for(browser.get(page)) is None
    clock.shift(2 * 60)
    answer = browser.get(page)
    assert asked_for(answer) == page
    question = browser.get(answer.headers["Location"])
    assert question.status_code == 200
    assert "Is it still you?" in question.content.decode()
    answer = confirm(browser, PASSWORD, page)
    assert answer.headers["Location"] == page
    assert browser.get(page).status_code == 200


def test_what_was_sent_too_late_changes_nothing(browser: Client, clock: Traveller) -> None:
    clock.shift(31 * 60)
    page = "http://testserver/admin/auth/group/add/"
    answer = browser.post(page, {"name": "intruders"}, headers={"referer": page})
    assert asked_for(answer) == "/admin/auth/group/add/"
    assert not Group.objects.filter(name="intruders").exists()
    told = browser.get(answer.headers["Location"]).content.decode()
    assert "Nothing was changed" in told


@pytest.mark.parametrize(
    "referer",
    ["http://[", "http://testserver", "http://evil.example/admin/", "http://testserver//x"],
)
def test_a_page_that_is_none_of_ours_leads_to_the_first_page(
    browser: Client, clock: Traveller, referer: str
) -> None:
    clock.shift(31 * 60)
    answer = browser.post(USERS, {"action": "deactivate"}, headers={"referer": referer})
    assert asked_for(browser.get(answer.headers["Location"])) is None
    assert confirm(browser, PASSWORD, asked_for(answer)).headers["Location"] == "/admin/"


def test_lists_and_what_is_no_secret_stay_open(browser: Client, clock: Traveller) -> None:
    clock.shift(31 * 60)
    for page in (
        "/admin/",
        USERS,
        "/admin/authz/auditevent/",
        "/admin/registry/registeredmodel/add/",
    ):
        assert browser.get(page).status_code == 200
    assert asked_for(browser.post(USERS, {"action": "deactivate"})) == "/admin/"


def test_another_password_is_refused_and_tries_are_counted(
    browser: Client, clock: Traveller, staff: User
) -> None:
    clock.shift(31 * 60)
    wrong = [confirm(browser, "wrong") for _ in range(5)]
    assert [answer.status_code for answer in wrong] == [200] * 5
    assert "That is not your password." in wrong[0].content.decode()
    late = confirm(browser, PASSWORD)
    assert late.status_code == 429
    assert late.headers["Retry-After"] == "60"
    assert asked_for(browser.get(f"{USERS}{staff.pk}/change/")) is not None
    denials = AuditEvent.objects.filter(action="admin.confirm", outcome="denied")
    assert denials.count() == 6
    assert "wrong" not in str([event.changes for event in denials])


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "javascript:x", ""])
def test_one_goes_on_to_our_own_pages_only(browser: Client, wanted: str) -> None:
    assert confirm(browser, PASSWORD, wanted).headers["Location"] == "/admin/"


def test_nobody_else_is_asked(db: None, clock: Traveller) -> None:
    answer = Client().get("/admin/confirm")
    assert urlsplit(answer.headers["Location"]).path == "/admin/login/"


def test_every_model_with_secrets_or_access_asks() -> None:
    asking = {model._meta.label for model in confirmed_models()}
    assert asking == {
        "auth.Group", "authz.APIKey", "authz.Membership", "authz.PolicyAttachment",
        "authz.SecurityPolicy", "authz.User", "integrations.InboundSource",
        "integrations.Integration", "integrations.WebhookEndpoint",
    }  # fmt: skip
    for model in admin.site._registry:
        secret = any(
            isinstance(field, EncryptedTextField)
            or "secret" in field.name
            or field.name == "password"
            for field in model._meta.concrete_fields
        )
        if secret:
            assert model in confirmed_models()


def test_every_page_of_such_a_model_is_known_by_its_name() -> None:
    prefixes = [f"{m._meta.app_label}_{m._meta.model_name}_" for m in admin.site._registry]
    site_pages = {
        "index", "login", "logout", "password_change", "password_change_done", "autocomplete",
        "jsi18n", "view_on_site", "app_list", "confirm", None,
    }  # fmt: skip
    names = set(_names(get_resolver().url_patterns, within_admin=False))
    strangers = {name for name in names if name and not name.startswith(tuple(prefixes))}
    assert strangers <= site_pages


def _names(patterns: list[URLPattern | URLResolver], *, within_admin: bool) -> Iterator[str | None]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inside = within_admin or str(pattern.pattern) == "admin/"
            yield from _names(pattern.url_patterns, within_admin=inside)
        elif within_admin:
            yield pattern.name


def test_no_project_is_needed(browser: Client) -> None:
    assert not Project.objects.exists()
    assert browser.get("/admin/confirm").status_code == 200
