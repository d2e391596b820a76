"""An integration's page: how it does, and a test of the connection."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from authz.models import AuditEvent, User
from integrations.connections.services import register_integration, update_integration
from integrations.models import CallRecord
from tests.admin.forms import url
from tests.admin.world import ACTOR, SECRET, World, external_call
from tests.integrations.http.scripted_server import ScriptedServer, replying


def test_the_page_shows_how_it_does(world: World, staff: Client) -> None:
    for _ in range(3):
        external_call(world.integration, is_error=True, error_code="http_503", status=503)
    page = staff.get(url(world.integration, "change"))
    assert page.context["panel"]["status"].request_count == 4
    text = page.content.decode()
    assert "75.0% failed" in text
    assert '<span class="mark bad">failing</span>' in text
    assert f"?integration_id={world.integration.pk}" in text
    assert SECRET not in text


def test_one_that_was_never_called_says_so(world: World, staff: Client) -> None:
    CallRecord.objects.all().delete()
    text = staff.get(url(world.integration, "change")).content.decode()
    assert "It was not called." in text
    assert 'class="chart-plot"' not in text


def test_the_button_tests_the_connection(world: World, staff: Client) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with ScriptedServer(replying(raw)) as server:
        integration = register_integration(
            actor=ACTOR, project=world.project, name="near", base_url=server.url(), api_key=SECRET
        )
        address = f"{url(integration, 'change').removesuffix('change/')}test/"
        page = staff.post(address, follow=True).content.decode()
        assert "It works (200" in page
        assert SECRET.encode() in server.requests[0]
    page = staff.post(address, follow=True).content.decode()
    assert "It does not work" in page
    assert staff.get(address).status_code == 405
    update_integration(actor=ACTOR, integration=integration, changes={"is_active": False})
    assert "Not tested: near is not active." in staff.post(address, follow=True).content.decode()
    event = AuditEvent.objects.filter(action="integration.request").first()
    assert (event.actor_label, event.credential) == ("ada", "admin")


@pytest.mark.django_db
def test_who_may_not_call_may_not_test(world: World) -> None:
    viewer = User.objects.create_user(username="eve", password="x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_integration"))
    client = Client()
    client.force_login(viewer)
    page = client.get(url(world.integration, "change"))
    assert page.context["panel"] is None
    assert "Test the connection" not in page.content.decode()
    address = f"{url(world.integration, 'change').removesuffix('change/')}test/"
    assert client.post(address).status_code == 403


@pytest.mark.parametrize("query", ["outcome=ok", "outcome=error", "outcome=refused", "last=1h"])
def test_the_log_can_be_filtered(query: str, world: World, staff: Client) -> None:
    external_call(world.integration, is_error=True, attempt=0, error_code="circuit_open")
    external_call(world.integration, is_error=True, error_code="http_500")
    found = staff.get(url(CallRecord, "changelist") + f"?{query}")
    assert found.context["cl"].result_count == (3 if query == "last=1h" else 1)
