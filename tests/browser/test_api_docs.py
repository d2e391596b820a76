"""The API's page in Chromium: every operation is shown, and the policy is kept."""

import pytest

from tests.browser.conftest import Browse

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def test_every_operation_is_shown_without_a_complaint(browse: Browse) -> None:
    with browse() as (page, complaints):
        page.goto("/api/docs")
        page.wait_for_selector("#operations-ai-ai_generate")
        # The page draws one group after the other.
        page.locator(".opblock").nth(39).wait_for(state="attached")
    assert complaints == []
