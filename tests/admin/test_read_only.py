"""What is written once cannot be added, changed or deleted, and some things are only ended."""

import pytest
from django.test import Client
from django.urls import NoReverseMatch

from authz.models import AuditEvent
from tests.admin.forms import url
from tests.admin.world import World


@pytest.mark.parametrize("which", ["record", "sample", "session", "event"])
def test_records_are_only_read(which: str, world: World, staff: Client) -> None:
    obj = AuditEvent.objects.first() if which == "event" else getattr(world, which)
    assert obj is not None
    assert staff.get(url(type(obj), "add")).status_code == 403
    assert staff.post(url(type(obj), "add"), {}).status_code == 403
    assert staff.post(url(obj, "change"), {}).status_code == 403
    assert staff.get(url(obj, "delete")).status_code == 403
    assert staff.post(url(obj, "delete"), {"post": "yes"}).status_code == 403
    assert 'name="_save"' not in staff.get(url(obj, "change")).content.decode()


@pytest.mark.parametrize("which", ["staff", "project", "key", "version"])
def test_some_things_are_ended_and_not_deleted(which: str, world: World, staff: Client) -> None:
    assert staff.post(url(getattr(world, which), "delete"), {"post": "yes"}).status_code == 403


def test_nothing_is_deleted_in_bulk(world: World, staff: Client) -> None:
    for obj in world.objects:
        try:
            page = staff.get(url(type(obj), "changelist")).content.decode()
        except NoReverseMatch:
            continue
        assert "delete_selected" not in page
