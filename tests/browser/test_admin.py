"""The admin in Chromium under its own content security policy: no complaint on any page."""

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import Page

from tests.admin.forms import url
from tests.admin.test_pages import ADDABLE, RECORDS
from tests.admin.world import World
from tests.browser.conftest import Browse

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def addresses(world: World) -> list[str]:
    found = [
        "/admin/",
        "/admin/confirm",
        "/admin/password_change/",
        "/admin/registry/",
        "/admin/authz/",
    ]
    found += [url(model, "changelist") for model in admin.site._registry]
    found += [url(model, "add") for model in ADDABLE]
    found += [url(obj, "change") for obj in world.objects]
    found += [url(obj, "history") for obj in world.objects if not isinstance(obj, RECORDS)]
    found.append(reverse("admin:authz_securitypolicy_try", args=[world.policy.pk]))
    found.append(reverse("admin:authz_apikey_rotate", args=[world.key.pk]))
    return [*found, url(world.model, "delete")]


def is_wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_makes_the_browser_complain(
    theme: str, width: int, world: World, browse: Browse
) -> None:
    pages, wide = addresses(world), []
    with browse(theme=theme, width=width) as (page, complaints):
        for address in pages:
            answer = page.goto(address)
            assert answer is not None
            assert answer.status == 200, address
            if is_wider_than_the_screen(page):
                wide.append(address)
        page.context.clear_cookies()
        page.goto("/admin/")
        assert page.url.endswith("/admin/login/?next=/admin/")
    assert complaints == []
    assert wide == []


def test_what_scripts_do_is_allowed_too(world: World, browse: Browse) -> None:
    with browse() as (page, complaints):
        page.goto("/admin/authz/apikey/add/")
        page.click(".field-user .select2-selection")
        page.fill(".select2-search__field", "ada")
        page.click(".select2-results__option >> text=ada")
        page.click("#calendarlink0")
        page.click("#calendarin0 td >> text=15")
        page.click("#clocklink0")
        page.click("#clockbox0 >> text=Noon")
        page.goto("/admin/auth/group/add/")
        page.select_option("#id_permissions_from", index=0)
        page.click("#id_permissions_add")
        page.goto("/admin/registry/modelversion/")
        page.click("#action-toggle")
        page.fill("#nav-filter", "model")
        page.click(".toggle-nav-sidebar")
        page.click("#changelist-filter summary >> nth=0")
        page.goto("/admin/")
        page.click(".numbers summary")
        assert page.is_visible(".numbers table")
        page.hover(".chart-calls .slot >> nth=23")
    assert complaints == []


def test_the_theme_can_be_chosen(world: World, browse: Browse) -> None:
    def ground(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    with browse(theme="dark") as (page, _):
        page.goto("/admin/")
        dark = ground(page)
        seen = set()
        for _ in range(3):
            page.click("#user-tools .theme-toggle")
            seen.add((page.get_attribute("html", "data-theme"), ground(page)))
    assert {theme for theme, _ in seen} == {"auto", "light", "dark"}
    assert {colour == dark for theme, colour in seen if theme != "light"} == {True}
    assert {colour == dark for theme, colour in seen if theme == "light"} == {False}


def test_a_key_is_issued_in_the_browser_and_shown_once(world: World, browse: Browse) -> None:
    with browse() as (page, complaints):
        page.goto(f"/admin/authz/apikey/add/?user={world.staff.pk}&project={world.project.pk}")
        page.fill("#id_name", "from the browser")
        page.click("input[name=_save]")
        text = page.input_value("#issued-key")
        assert text.startswith("intmod_")
        page.click("text=I have copied it")
        page.wait_for_selector("text=from the browser")
        assert text not in page.content()
    assert complaints == []


def test_enter_saves_an_integration_and_the_button_tests_it(world: World, browse: Browse) -> None:
    with browse() as (page, complaints):
        page.goto(url(world.integration, "change"))
        page.get_by_role("button", name="Test the connection").click()
        page.wait_for_selector(".messagelist")
        assert "Not tested: The security policy pii:1" in page.inner_text(".messagelist")
        page.locator("#id_test_endpoint").press("Enter")
        page.wait_for_url("**/integrations/integration/")
        assert "was changed successfully" in page.inner_text(".messagelist")
        assert complaints == []


@pytest.mark.parametrize("width", [1280, 390])
def test_a_threshold_is_added_on_its_models_page(world: World, browse: Browse, width: int) -> None:
    with browse(width=width) as (page, complaints):
        page.goto(url(world.model, "change"))
        page.click("text=Add another Threshold")
        page.fill("#id_thresholds-0-metric", "latency_ms")
        page.click("input[name=_continue]")
        page.wait_for_selector("text=Give a limit: critical, warning, or both.")
        assert not is_wider_than_the_screen(page)
        page.fill("#id_thresholds-0-critical", "900")
        page.click("input[name=_continue]")
        page.wait_for_selector("text=was changed successfully")
        assert page.input_value("#id_thresholds-0-critical") == "900.0"
        assert not page.is_enabled("#id_thresholds-0-metric")
    assert complaints == []
