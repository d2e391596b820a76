"""manage.py rotate_secrets: every secret under the first key, however often it is broken off."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from authz.models import AuditEvent
from authz.secrets import rotation
from authz.secrets.rotation import Rotation, columns, outdated_count, rotate
from integrations.models import Integration
from tests.factories.integrations import IntegrationFactory

SECRET = "sk-very-secret-key-1234"


@pytest.fixture
def keys(settings: Any) -> Any:
    """Put a key in front of the ring, and give the ring without the old one."""

    def new_ring() -> dict[str, str]:
        old, new = settings.FIELD_ENCRYPTION_KEYS, {"k2": "n" * 48}
        settings.FIELD_ENCRYPTION_KEYS = {**new, **old}
        return new

    return new_ring


def run() -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("rotate_secrets", stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_every_column_of_secrets_is_known() -> None:
    assert (Integration, Integration._meta.get_field("api_key")) in columns()


def test_after_a_rotation_the_old_key_can_go(db: None, keys: Any, settings: Any) -> None:
    for number in range(3):
        IntegrationFactory(api_key=f"{SECRET}-{number}")
    IntegrationFactory()
    only_new = keys()
    IntegrationFactory(api_key="set meanwhile")
    assert outdated_count() == 3
    assert "3 secrets are encrypted under k2 now" in run()[0]
    assert outdated_count() == 0
    assert "0 secrets" in run()[0]
    settings.FIELD_ENCRYPTION_KEYS = only_new
    stored = [row.api_key.reveal() for row in Integration.objects.exclude(api_key=None)]
    assert sorted(stored) == ["set meanwhile", *(f"{SECRET}-{number}" for number in range(3))]
    event = AuditEvent.objects.filter(action="secret.rotate").earliest("id")
    assert (event.outcome, event.changes) == ("success", {"count": 3, "unreadable": []})


def test_what_is_broken_off_goes_on(db: None, keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    for _ in range(5):
        IntegrationFactory(api_key=SECRET)
    keys()
    first = rotate(Rotation())
    assert next(first) == 2
    first.close()
    assert outdated_count() == 3
    again = Rotation()
    assert list(rotate(again)) == [2, 1]
    assert (again.count, outdated_count()) == (3, 0)


def test_a_secret_that_is_set_meanwhile_stays(
    db: None, keys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = IntegrationFactory(api_key=SECRET)
    keys()
    encrypt = rotation.encrypt

    def set_meanwhile(*args: Any) -> str:
        Integration.objects.filter(pk=integration.pk).update(
            api_key=encrypt("newer", Integration._meta.get_field("api_key").place(integration))  # type: ignore[union-attr]
        )
        return encrypt(*args)

    monkeypatch.setattr(rotation, "encrypt", set_meanwhile)
    done = Rotation()
    list(rotate(done))
    assert (done.count, done.unreadable) == (0, [])
    assert Integration.objects.get().api_key.reveal() == "newer"


def test_what_cannot_be_read_is_named_and_left_alone(db: None, keys: Any) -> None:
    mine, theirs = IntegrationFactory(api_key=SECRET), IntegrationFactory(api_key="other")
    stolen = Integration.objects.filter(pk=mine.pk).values_list("api_key", flat=True).get()
    Integration.objects.filter(pk=theirs.pk).update(api_key=stolen)
    keys()
    err = StringIO()
    with pytest.raises(CommandError, match="1 secrets cannot be read"):
        call_command("rotate_secrets", stdout=StringIO(), stderr=err)
    assert f"integrations_integration.api_key of {theirs.pk}" in err.getvalue()
    assert Integration.objects.get(pk=mine.pk).api_key.reveal() == SECRET
    assert Integration.objects.filter(pk=theirs.pk, api_key=stolen).exists()
    assert AuditEvent.objects.get(action="secret.rotate").outcome == "failed"
