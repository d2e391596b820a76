"""An API key gets a new text on a page of its own, which shows it once."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from authz.identity import members
from authz.identity.lookup import find_principal
from authz.models import APIKey, AuditEvent, User
from intmod_site.api.errors import NotAuthenticated
from tests.admin.forms import url
from tests.admin.world import ACTOR, World
from tests.factories.authz import MembershipFactory, api_key_for


def page(key: APIKey) -> str:
    return reverse("admin:authz_apikey_rotate", args=[key.pk])


def seen(staff: Client, key: APIKey) -> str:
    return str(staff.get(page(key)).context["form"].initial["seen"])


def test_a_key_is_rotated_and_its_text_shown_once(world: World, staff: Client) -> None:
    assert page(world.key) in staff.get(url(world.key, "change")).content.decode()
    sent = {"grace_s": "3600", "seen": seen(staff, world.key)}
    response = staff.post(page(world.key), sent)
    text = response.context["text"]
    assert text in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    for credential in (text, world.key_text):
        assert find_principal(credential, address=None).label == "ada"
    event = AuditEvent.objects.get(action="apikey.rotate")
    assert (event.actor_label, event.changes["grace_s"]) == ("ada", [None, 3600])
    for address in (page(world.key), url(world.key, "change"), url(world.key, "history")):
        assert text not in staff.get(address).content.decode()


def test_without_grace_the_text_before_ends(world: World, staff: Client) -> None:
    staff.post(page(world.key), {"grace_s": "0", "seen": seen(staff, world.key)})
    with pytest.raises(NotAuthenticated):
        find_principal(world.key_text, address=None)


def test_a_form_counts_once(world: World, staff: Client) -> None:
    sent = {"grace_s": "3600", "seen": seen(staff, world.key)}
    staff.post(page(world.key), sent)
    again = staff.post(page(world.key), sent)
    assert "rotated since" in again.content.decode()
    assert AuditEvent.objects.filter(action="apikey.rotate").count() == 1


@pytest.mark.parametrize(
    "sent", [{}, {"grace_s": "5"}, {"grace_s": "x", "seen": "\x00"}, {"grace_s": "0", "seen": "é"}]
)
def test_odd_forms_change_nothing(world: World, staff: Client, sent: dict[str, str]) -> None:
    before = APIKey.objects.get(pk=world.key.pk).secret_hash
    assert staff.post(page(world.key), sent).status_code == 200
    assert APIKey.objects.get(pk=world.key.pk).secret_hash == before


def test_another_persons_key_is_not_rotated(world: World, staff: Client) -> None:
    other = MembershipFactory(project=world.project)
    api_key_for(other)
    key = APIKey.objects.get(user=other.user)
    assert page(key) not in staff.get(url(key, "change")).content.decode()
    assert staff.get(page(key)).status_code == 403
    assert staff.post(page(key), {"grace_s": "0"}).status_code == 403


def test_an_accounts_key_is(world: World, staff: Client) -> None:
    account = User.objects.create(username="ci", kind=User.Kind.SERVICE, owner=world.staff)
    api_key_for(MembershipFactory(user=account, project=world.project))
    key = APIKey.objects.get(user=account)
    response = staff.post(page(key), {"grace_s": "0", "seen": seen(staff, key)})
    assert find_principal(response.context["text"], address=None).label == "ci"


def test_a_key_that_has_ended_is_not_rotated(world: World, staff: Client) -> None:
    past = timezone.now() - timedelta(seconds=1)
    for ended in ({"expires_at": past}, {"expires_at": None, "revoked_at": past}):
        APIKey.objects.filter(pk=world.key.pk).update(**ended)
        assert staff.get(page(world.key)).status_code == 403
    assert staff.get(reverse("admin:authz_apikey_rotate", args=["x"])).status_code == 404


def test_who_may_only_look_does_not_rotate(world: World, client: Client) -> None:
    looker = members.create_user(
        actor=ACTOR, username="eve", password="correct horse battery staple", is_staff=True
    )
    client.force_login(looker)
    assert client.get(page(world.key)).status_code in (302, 403, 404)
