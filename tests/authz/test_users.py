"""People and service accounts: names that look the same are the same."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from authz.identity.members import create_user
from authz.models import User
from tests.factories.authz import ACTOR, PASSWORD, UserFactory


@pytest.mark.parametrize("twin", ["ADA", "Ada", "\uff41da", "a\u1d48a"])
def test_twins_of_a_name_are_refused(db: None, twin: str) -> None:
    UserFactory(username="ada")
    with pytest.raises(ValidationError):
        create_user(actor=ACTOR, username=twin, password=PASSWORD)
    with pytest.raises(IntegrityError), transaction.atomic():
        User(username=twin).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(username=twin)])
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=UserFactory(username="grace").pk).update(username=twin)


def test_a_name_is_looked_up_as_it_is_stored(db: None) -> None:
    ada = UserFactory(username="ada")
    User.objects.filter(pk=ada.pk).update(username="GRACE")
    assert User.objects.get(username="Grace") == ada
    assert User.objects.filter(username__in=["GRA\u1d04E", "\uff27race"]).get().username == "grace"


@pytest.mark.parametrize("password", ["short", "password1234", "123456789012", "ada-lovelace"])
def test_weak_passwords_are_refused(db: None, password: str) -> None:
    with pytest.raises(ValidationError):
        create_user(actor=ACTOR, username="ada-lovelace", password=password)
    assert not User.objects.exists()


def test_a_service_account_has_an_owner_no_password_and_no_admin(db: None) -> None:
    owner = UserFactory()
    account = User.objects.create(username="ci", kind=User.Kind.SERVICE, owner=owner)
    with pytest.raises(ValueError, match="no password"):
        account.set_password(PASSWORD)
    for wrong in ({"is_staff": True}, {"is_superuser": True}, {"owner": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=account.pk).update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=owner.pk).update(owner=account)


def test_a_new_password_begins_a_new_epoch(db: None) -> None:
    user = UserFactory()
    before = user.credential_epoch
    user.set_password("another horse battery staple")
    assert user.credential_epoch == before + 1
