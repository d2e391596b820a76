"""Webhooks in the admin: an endpoint's page and its buttons, a delivery's timeline."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from authz.models import AuditEvent, User
from integrations.models import EventType, WebhookDelivery, WebhookEndpoint, WebhookMessage
from integrations.webhooks.built_in import write_built_in
from integrations.webhooks.services import publish
from tests.admin.forms import errors, submit, url
from tests.admin.told import HOOK_SECRET
from tests.admin.world import World


def press(client: Client, obj: Any, name: str, **sent: str) -> Any:
    return client.post(f"{url(obj, 'change').removesuffix('change/')}{name}/", sent, follow=True)


def clerk(*codenames: str) -> Client:
    user = User.objects.create_user(username="eve", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def endpoint(world: World) -> WebhookEndpoint:
    return world.told[0]


@pytest.fixture
def delivery(world: World) -> WebhookDelivery:
    return world.told[3]


def test_the_page_shows_how_it_does(endpoint: WebhookEndpoint, staff: Client) -> None:
    text = staff.get(url(endpoint, "change")).content.decode()
    assert "100.0% failed" in text
    assert "Waiting: 1 pending, 0 held" in text
    assert '<span class="mark good">Active</span>' in text
    assert f"?endpoint_id={endpoint.pk}" in text
    assert HOOK_SECRET not in text


def test_one_to_which_nothing_was_sent_says_so(world: World, staff: Client) -> None:
    WebhookDelivery.objects.all().delete()
    text = staff.get(url(world.told[0], "change")).content.decode()
    assert "Nothing was sent." in text
    assert "None yet." in text


def test_it_is_disabled_and_enabled(endpoint: WebhookEndpoint, staff: Client) -> None:
    page = press(staff, endpoint, "disable").content.decode()
    assert "what is meant for it is held" in page
    assert "By hand" in page
    assert WebhookDelivery.objects.get(endpoint=endpoint).state == "held"
    assert "disabled already" in press(staff, endpoint, "disable").content.decode()
    assert "what was held goes out now" in press(staff, endpoint, "enable").content.decode()
    event = AuditEvent.objects.filter(action="webhookendpoint.disable").latest("id")
    assert (event.actor_label, event.credential) == ("ada", "admin")


@pytest.mark.parametrize(("name", "old"), [("rotate", 1), ("revoke", 0)])
def test_a_new_secret_is_shown_once(
    name: str, old: int, endpoint: WebhookEndpoint, staff: Client
) -> None:
    response = press(staff, endpoint, name)
    text = response.context["text"]
    assert text in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    page = staff.get(url(endpoint, "change")).content.decode()
    assert text not in page
    assert HOOK_SECRET not in page
    assert ("1 replaced sign along" in page) is bool(old)


def test_an_endpoint_is_registered_and_its_secret_shown(world: World, staff: Client) -> None:
    values = {
        "project": world.project.pk, "url": "https://b.example/in", "event_types": "a.*\n\n b.c ",
        "headers": "{}", "timeout_s": "10",
    }  # fmt: skip
    response = submit(staff, WebhookEndpoint, **values)
    row = WebhookEndpoint.objects.get(url="https://b.example/in")
    assert row.event_types == ["a.*", "b.c"]
    assert response.context["text"] == row.secret.reveal()  # type: ignore[union-attr]
    assert submit(staff, row, description="changed").status_code == 302
    found = errors(submit(staff, row, url="ftp://x", event_types="Odd One"))
    assert "url" in found
    assert "event_types" in errors(submit(staff, row, event_types="Odd One"))


def test_the_audit_log_is_told_only_by_who_may_read_it(world: World) -> None:
    client = clerk("view_webhookendpoint", "change_webhookendpoint")
    found = errors(submit(client, world.told[0], event_types="audit.*"))
    assert "authz.view_auditevent" in str(found)


def test_what_was_given_up_is_sent_again(
    endpoint: WebhookEndpoint, delivery: WebhookDelivery, staff: Client
) -> None:
    WebhookDelivery.objects.update(state="exhausted")
    page = press(staff, endpoint, "recover", days="1", scope="failed").content.decode()
    assert "1 deliveries are made again." in page
    assert (
        "Choose what" in press(staff, endpoint, "recover", days="x", scope="all").content.decode()
    )
    delivery.refresh_from_db()
    assert delivery.replay_count == 1


def test_a_delivery_has_a_timeline_and_is_sent_again(
    delivery: WebhookDelivery, staff: Client
) -> None:
    text = staff.get(url(delivery, "change")).content.decode()
    assert "oh &lt;no&gt;" in text
    assert "12.5 ms" in text
    assert "token=hidden" not in text
    assert "It is sent again now" in press(staff, delivery, "resend").content.decode()
    assert AuditEvent.objects.filter(action="webhookdelivery.replay", actor_label="ada").exists()
    path = f"{url(delivery, 'change').removesuffix('change/')}resend/"
    assert staff.get(path).status_code == 405


def test_who_may_only_look_presses_nothing(world: World) -> None:
    client = clerk("view_webhookendpoint", "view_webhookdelivery")
    endpoint, delivery = world.told[0], world.told[3]
    for obj in (endpoint, delivery):
        assert "<button" not in client.get(url(obj, "change")).content.decode().split("<main")[1]
    for obj, name in (
        (endpoint, "enable"), (endpoint, "disable"), (endpoint, "rotate"), (endpoint, "revoke"),
        (endpoint, "recover"), (delivery, "resend"),
    ):  # fmt: skip
        assert press(client, obj, name).status_code == 403


def test_built_in_types_cannot_be_changed(world: World, staff: Client) -> None:
    write_built_in()
    own = EventType.objects.get(name="webhook.endpoint.disabled")
    assert staff.get(url(own, "change")).status_code == 200
    assert (
        "built in" in staff.post(url(own, "delete"), {"post": "yes"}, follow=True).content.decode()
    )
    found = errors(submit(staff, EventType, name="x.y"))
    assert "project" in found


def test_messages_of_the_audit_log_are_for_those_who_may_read_it(world: World) -> None:
    message = publish("audit.x.y", {"hush": 1}, project=world.project).message
    assert clerk("view_webhookmessage").get(url(message, "change")).status_code == 302
    listed = Client()
    listed.force_login(world.staff)
    assert "hush" in listed.get(url(message, "change")).content.decode()
    assert WebhookMessage.objects.filter(event_type="audit.x.y").exists()


@pytest.mark.parametrize("query", ["state=pending", "last=1h", "type=order.created", "message=x"])
def test_deliveries_can_be_filtered(query: str, world: World, staff: Client) -> None:
    found = staff.get(url(WebhookDelivery, "changelist") + f"?{query}")
    assert found.context["cl"].result_count == (0 if query == "message=x" else 1)
