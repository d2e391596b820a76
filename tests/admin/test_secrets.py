"""Secrets go in through the admin and never come out."""

from typing import Any

from django.test import Client

from authz.models import APIKey, AuditEvent, Session, User
from authz.secrets.fields import SECRET_MASK
from integrations.models import Integration
from tests.admin.forms import submit, url
from tests.admin.heard import HEARD_SECRET
from tests.admin.told import HOOK_SECRET
from tests.admin.world import SECRET, World


def stored(world: World) -> Any:
    secret = Integration.objects.get(pk=world.integration.pk).api_key
    return secret.reveal() if secret else None


def test_no_page_shows_a_secret(world: World, staff: Client) -> None:
    session, user = Session.objects.get(), User.objects.get()
    key = APIKey.objects.get()
    hidden = [
        SECRET, world.key_text, key.secret_hash, str(session.refresh_jti), session.refresh_jti.hex,
        user.password, world.integration.api_key.ciphertext, HOOK_SECRET,
        world.told[0].secret.ciphertext, HEARD_SECRET, world.heard[0].secret.ciphertext,
    ]  # fmt: skip
    pages = ["/admin/"]
    for obj in [*world.objects, *AuditEvent.objects.all()]:
        pages += [url(obj, "change"), url(obj, "history"), url(type(obj), "changelist")]
    for page in dict.fromkeys(pages):
        text = staff.get(page).content.decode()
        assert not [secret for secret in hidden if secret in text], page


def test_the_stored_key_is_hinted_at(world: World, staff: Client) -> None:
    text = staff.get(url(world.integration, "change")).content.decode()
    assert "…WXYZ" in text
    assert world.integration.api_key.fingerprint() in text
    assert 'type="password" name="new_api_key"' in text


def test_an_empty_field_and_the_mask_keep_it(world: World, staff: Client) -> None:
    for typed in ("", SECRET_MASK):
        response = submit(staff, world.integration, new_api_key=typed, description="kept")
        assert response.status_code == 302
        assert stored(world) == SECRET


def test_it_is_replaced_and_removed(world: World, staff: Client) -> None:
    assert submit(staff, world.integration, new_api_key="sk-new").status_code == 302
    assert stored(world) == "sk-new"
    assert submit(staff, world.integration, remove_api_key="on").status_code == 302
    assert stored(world) is None
    assert "sk-new" not in str([event.changes for event in AuditEvent.objects.all()])


def test_a_refused_form_does_not_send_the_secret_back(world: World, staff: Client) -> None:
    response = submit(staff, world.integration, new_api_key="sk-typed", base_url="ftp://x")
    assert response.status_code == 200
    assert "sk-typed" not in response.content.decode()


def test_a_new_key_is_shown_once(world: World, staff: Client) -> None:
    response = submit(
        staff,
        APIKey,
        user=world.staff.pk,
        project=world.project.pk,
        name="script",
        scopes=["registry.invoke_modelversion"],
    )
    text = response.context["text"]
    assert response.status_code == 200
    assert text in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert not response.cookies.get("messages")
    assert text not in str(dict(staff.session.items()))
    key = APIKey.objects.get(name="script")
    assert key.scopes == ["registry.invoke_modelversion"]
    for page in (url(APIKey, "changelist"), url(key, "change"), url(key, "history")):
        assert text not in staff.get(page).content.decode()


def test_a_key_whose_encryption_key_is_gone_can_be_replaced(
    world: World, staff: Client, settings: Any
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = {"other": "x" * 40}
    text = staff.get(url(world.integration, "change")).content.decode()
    assert "Unreadable" in text
