"""The API's page in Chromium: every operation is shown, and the policy is kept."""

import pytest

from tests.browser.conftest import Browse

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def test_every_operation_is_shown_without_a_complaint(browse: Browse) -> None:
    with browse() as (page, complaints):
        page.goto("/api/docs")
        page.wait_for_selector("#operations-ai-ai_generate")
        # The page draws what is looked at: the rest as one scrolls down.
        seen: set[str] = set()
        for _ in range(60):
            seen |= set(
                page.locator(".opblock").evaluate_all("blocks => blocks.map(block => block.id)")
            )
            if len(seen) >= 40:
                break
            page.mouse.wheel(0, 1500)
            page.wait_for_timeout(200)
        assert len(seen) >= 40
    assert complaints == []
