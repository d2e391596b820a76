"""A real browser in front of a real server; skipped where there is no Chromium."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.admin import world as worlds
from tests.admin.world import World

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
# --no-sandbox: tests run as root in containers, where Chromium's sandbox does not start.
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip

Browse = Callable[..., AbstractContextManager[tuple[Page, list[str]]]]


@pytest.fixture
def world(live_server: LiveServer) -> World:
    made = worlds.build()
    worlds.grow(made, 3)
    return made


@pytest.fixture
def browse(live_server: LiveServer, world: World) -> Browse:
    """Open a page as staff; gives it with the list of complaints that the browser writes.

    Nothing may ask the database within: Playwright runs an event loop in the test's thread.
    """
    if not CHROMIUM.exists():
        pytest.skip(f"There is no Chromium at {CHROMIUM}; CHROMIUM names another place.")
    client = Client()
    client.force_login(world.staff)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value

    @contextmanager
    def opened(*, theme: str = "light", width: int = 1280) -> Iterator[tuple[Page, list[str]]]:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            context = browser.new_context(
                viewport={"width": width, "height": 900},
                color_scheme=theme,  # type: ignore[arg-type]
                base_url=live_server.url,
            )
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
            )
            page = context.new_page()
            complaints: list[str] = []
            _listen(page, complaints)
            yield page, complaints
            browser.close()

    return opened


def _listen(page: Page, complaints: list[str]) -> None:
    def hear(message: Any) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
