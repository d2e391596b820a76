"""A row straight from the driver is the row that Django's cursor gives."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from authz.identity.lookup import find_principal
from authz.models import APIKey
from intmod_site.api.errors import NotAuthenticated
from intmod_site.first_row import first_row
from tests.factories.authz import MembershipFactory, api_key_for

BY_NAME = "SELECT username, kind FROM authz_user WHERE username = %s AND kind <> %s"


@pytest.mark.django_db(transaction=True)
def test_it_gives_the_first_row_or_none() -> None:
    user = MembershipFactory(user__username="zoë % 'x").user
    straight = first_row(BY_NAME, [user.username, "none"])
    with CaptureQueriesContext(connection) as recorded:
        by_cursor = first_row(BY_NAME, [user.username, "none"])
    assert straight == by_cursor == (user.username, user.kind)
    assert len(recorded) == 1
    assert first_row(BY_NAME, ["nobody", "none"]) is None
    with transaction.atomic():
        assert first_row(BY_NAME, [user.username, "none"]) == by_cursor


@pytest.mark.django_db(transaction=True)
def test_callers_are_the_same_either_way() -> None:
    text = api_key_for(
        MembershipFactory(role_name="operator"), scopes=["registry.view_modelversion"]
    )
    straight = find_principal(text, address="127.0.0.1")
    with CaptureQueriesContext(connection):
        by_cursor = find_principal(text, address="127.0.0.1")
    assert straight == by_cursor
    assert straight.scopes == {"registry.view_modelversion"}
    assert APIKey.objects.get().last_used_at is not None
    APIKey.objects.update(expires_at="2020-01-01T00:00:00Z")
    with pytest.raises(NotAuthenticated):
        find_principal(text, address=None)


@pytest.mark.django_db(transaction=True)
def test_the_driver_s_errors_are_django_s() -> None:
    with pytest.raises(DatabaseError):
        first_row("SELECT no_such_column FROM authz_user WHERE username = %s", ["x"])
    assert first_row(BY_NAME, [uuid4().hex, "none"]) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_a_connection_that_the_server_ended_is_an_operational_error() -> None:
    first_row(BY_NAME, ["x", "none"])
    held = connections["default"].connection
    with connections["default"].copy().cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [held.info.backend_pid])
    with pytest.raises(OperationalError):
        first_row(BY_NAME, ["x", "none"])
    connections["default"].close()
    assert first_row(BY_NAME, ["x", "none"]) is None
