"""Inbound sources and what they told us, in the admin."""

from typing import Any

import pytest
from django.test import Client

from authz.models import AuditEvent, PolicyAttachment, SecurityPolicy
from integrations.models import InboundSource, ReceivedEvent
from integrations.webhooks.inbound import receivers
from integrations.webhooks.replaced_secrets import present_secret, replaced_secrets
from tests.admin.forms import errors, submit, url
from tests.admin.heard import HEARD_SECRET
from tests.admin.test_actions import act
from tests.admin.test_webhooks import clerk
from tests.admin.world import World


@pytest.fixture
def source(world: World) -> InboundSource:
    return world.heard[0]


@pytest.fixture
def event(world: World) -> ReceivedEvent:
    return world.heard[1]


def test_a_made_secret_is_shown_once(world: World, staff: Client) -> None:
    response = submit(staff, InboundSource, project=world.project.pk, name="shop")
    made = InboundSource.objects.get(name="shop")
    text = response.content.decode()
    assert response.status_code == 200
    assert present_secret(made) in text
    assert f"/api/v1/integration/webhook/inbound/{made.pk}" in text
    assert "no-store" in response.headers["Cache-Control"]
    assert not response.cookies.get("messages")
    assert present_secret(made) not in staff.get(url(made, "change")).content.decode()


def test_a_typed_secret_is_not_shown(world: World, staff: Client) -> None:
    response = submit(
        staff, InboundSource, project=world.project.pk, name="pay", scheme="stripe",
        new_secret="whsec_of_stripe",
    )  # fmt: skip
    assert response.status_code == 302
    assert present_secret(InboundSource.objects.get(name="pay")) == "whsec_of_stripe"


def test_a_secret_is_kept_replaced_or_made(source: InboundSource, staff: Client) -> None:
    assert submit(staff, source, description="kept").status_code == 302
    source.refresh_from_db()
    assert (present_secret(source), source.description) == (HEARD_SECRET, "kept")
    assert submit(staff, source, new_secret="another one").status_code == 302
    source.refresh_from_db()
    assert present_secret(source) == "another one"
    assert [text for text, _ in replaced_secrets(source)] == [HEARD_SECRET]
    page = submit(staff, source, make_secret="on", overlap_s="0", tolerance_s="60")
    source.refresh_from_db()
    assert present_secret(source) in page.content.decode()
    assert (replaced_secrets(source), source.tolerance_s) == ([], 60)
    actions = AuditEvent.objects.filter(object_id=str(source.pk)).values_list("action", flat=True)
    assert list(actions).count("inboundsource.rotate_secret") == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"new_secret": "short"}, "new_secret"),
        ({"new_secret": "long enough", "make_secret": "on"}, "make_secret"),
        ({"settings": '{"x": "y"}'}, "settings"),
        ({"settings": "[]"}, "settings"),
        ({"publishes_as": "audit.x"}, "publishes_as"),
        ({"receivers": ["nobody"]}, "receivers"),
        ({"scheme": "standard"}, "scheme"),
        ({"tolerance_s": "0"}, "tolerance_s"),
        ({"overlap_s": "-1"}, "overlap_s"),
        ({"name": "A b"}, "name"),
    ],
)
def test_what_is_refused_is_told_at_its_field(
    changes: dict[str, Any], field: str, source: InboundSource, staff: Client
) -> None:
    response = submit(staff, source, **changes)
    assert field in errors(response)
    assert "long enough" not in response.content.decode()
    assert present_secret(InboundSource.objects.get(pk=source.pk)) == HEARD_SECRET


def test_receivers_are_ticked(
    source: InboundSource, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(receivers._receivers, "ledger", print)
    assert submit(staff, source, receivers=["ledger"]).status_code == 302
    source.refresh_from_db()
    assert source.receivers == ["ledger"]
    assert (
        "ledger, message shop.event" in staff.get(url(InboundSource, "changelist")).content.decode()
    )


def test_an_unreadable_secret_says_so(source: InboundSource, staff: Client, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = {"other": "another key of some length 0123456789"}
    assert "Unreadable" in staff.get(url(source, "change")).content.decode()


def test_a_sources_page_shows_its_latest_events(
    source: InboundSource, event: ReceivedEvent, staff: Client
) -> None:
    text = staff.get(url(source, "change")).content.decode()
    assert url(event, "change") in text
    assert '<span class="mark bad">Not handed on</span>' in text
    assert f"?source_id={source.pk}" in text
    for query, count in ((f"source_id={source.pk}", 1), (f"source_id={event.pk}", 0)):
        found = staff.get(url(ReceivedEvent, "changelist") + f"?{query}")
        assert found.context["cl"].result_count == count
    ReceivedEvent.objects.all().delete()
    assert "None yet." in staff.get(url(source, "change")).content.decode()


def test_events_are_shown_to_who_may_see_them(source: InboundSource, event: ReceivedEvent) -> None:
    client = clerk("view_inboundsource")
    assert url(event, "change") not in client.get(url(source, "change")).content.decode()


def test_a_source_goes_with_its_events(source: InboundSource, staff: Client) -> None:
    page = staff.get(url(source, "delete")).content.decode()
    assert "received events" in page.lower()
    assert staff.post(url(source, "delete"), {"post": "yes"}).status_code == 302
    assert not ReceivedEvent.objects.exists()


def test_an_event_is_shown_as_it_came(event: ReceivedEvent, staff: Client) -> None:
    text = staff.get(url(event, "change")).content.decode()
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert "ledger: ValueError" in text
    assert 'name="_save"' not in text


def test_an_event_is_replayed_by_its_button(event: ReceivedEvent, staff: Client) -> None:
    address = url(event, "change").removesuffix("change/") + "replay/"
    page = staff.post(address, follow=True).content.decode()
    assert "It is handed on once more." in page
    assert "Hand on once more" not in page
    event.refresh_from_db()
    assert (event.state, event.run) == ("waiting", 1)
    assert "waits to be handed on already" in staff.post(address, follow=True).content.decode()
    assert staff.get(address).status_code == 405


def test_events_are_replayed_in_bulk(event: ReceivedEvent, staff: Client) -> None:
    told = act(staff, ReceivedEvent, "replay_events", event)
    assert told == "1 received event waiting to be handed on."
    assert AuditEvent.objects.filter(action="receivedevent.replay", actor_label="ada").exists()


def test_who_may_only_look_replays_nothing(event: ReceivedEvent) -> None:
    client = clerk("view_receivedevent")
    page = client.get(url(event, "change")).content.decode()
    assert "Hand on once more" not in page
    address = url(event, "change").removesuffix("change/") + "replay/"
    assert client.post(address).status_code == 403


@pytest.mark.parametrize(
    ("query", "count"),
    [("source=heard", 1), ("source=x", 0), ("type=push", 1), ("state__exact=failed", 1),
     ("last=1h", 1), ("q=nothing", 0)],
)  # fmt: skip
def test_events_can_be_filtered(query: str, count: int, world: World, staff: Client) -> None:
    found = staff.get(url(ReceivedEvent, "changelist") + f"?{query}")
    assert found.context["cl"].result_count == count


def test_a_policy_is_attached_to_a_source(world: World, staff: Client) -> None:
    policy = SecurityPolicy.objects.get(name="pii")
    response = staff.post(
        url(PolicyAttachment, "add"),
        {"policy": policy.pk, "kind": "inbound_source", "target": "heard"},
    )
    assert response.status_code == 302
    attachment = PolicyAttachment.objects.get(target_kind="inbound_source")
    assert attachment.target_id == world.heard[0].pk
