"""Secrets at rest: bound to their place, shown nowhere, readable after a rotation."""

from typing import Any

import pytest
from django.core import serializers

from authz.secrets.fields import Secret
from authz.secrets.keyring import Place, SecretUnreadable, decrypt, encrypt
from integrations.models import Integration
from tests.factories.integrations import IntegrationFactory

SECRET = "sk-very-secret-key-1234"
PLACE = Place("table", "row", "field")


def test_a_secret_reads_back_where_it_was_put(db: None) -> None:
    IntegrationFactory(api_key=SECRET)
    stored = Integration.objects.get().api_key
    assert isinstance(stored, Secret)
    assert stored.reveal() == SECRET
    assert stored.hint() == "…1234"


def test_short_secrets_give_no_hint(db: None) -> None:
    assert IntegrationFactory(api_key="short").api_key.hint() == "…"


def test_no_form_of_it_shows_the_secret(db: None) -> None:
    integration = IntegrationFactory(api_key=SECRET)
    shown = [
        repr(integration.api_key),
        str(integration.api_key),
        str(Integration.objects.values().get()),
        serializers.serialize("json", [integration]),
        str(vars(integration)),
    ]
    assert not [text for text in shown if SECRET in text]


def test_a_copied_ciphertext_does_not_decrypt(db: None) -> None:
    mine, theirs = IntegrationFactory(api_key=SECRET), IntegrationFactory(api_key="other")
    stolen = Integration.objects.filter(pk=mine.pk).values_list("api_key", flat=True).get()
    Integration.objects.filter(pk=theirs.pk).update(api_key=stolen)
    with pytest.raises(SecretUnreadable):
        Integration.objects.get(pk=theirs.pk).api_key.reveal()


def test_saving_again_keeps_the_secret(db: None) -> None:
    integration = IntegrationFactory(api_key=SECRET)
    integration.full_clean()
    integration.save()
    deferred = Integration.objects.defer("api_key").get()
    deferred.save()
    assert deferred.api_key.reveal() == SECRET


def test_an_empty_secret_is_none(db: None) -> None:
    integration = IntegrationFactory(api_key=SECRET)
    integration.api_key = ""
    integration.save()
    assert Integration.objects.get().api_key is None


@pytest.mark.parametrize(
    "place",
    [
        Place("other", "row", "field"),
        Place("table", "other", "field"),
        Place("table", "row", "other"),
    ],
)
def test_each_part_of_the_place_counts(place: Place) -> None:
    with pytest.raises(SecretUnreadable):
        decrypt(encrypt(SECRET, PLACE), place)


@pytest.mark.parametrize(
    "text", ["", "v1", "v1:k1", "v1:k1:", "v1:k1:AAAA", "v1:k1:!", "v2:k1:AAAA", "v1:gone:AAAA"]
)
def test_what_is_no_ciphertext_is_unreadable(text: str) -> None:
    with pytest.raises(SecretUnreadable):
        decrypt(text, PLACE)


def test_the_first_key_encrypts_and_all_decrypt(settings: Any) -> None:
    before = encrypt(SECRET, PLACE)
    settings.FIELD_ENCRYPTION_KEYS = {"k2": "n" * 48, **settings.FIELD_ENCRYPTION_KEYS}
    assert encrypt(SECRET, PLACE).startswith("v1:k2:")
    assert decrypt(before, PLACE) == SECRET
    assert encrypt(SECRET, PLACE) != encrypt(SECRET, PLACE), "a nonce was used twice"
