"""Refresh tokens count once, also when twenty come at the same moment."""

import threading

import pytest
from django.db import connections

from authz.identity.sessions import log_in as begin_session
from authz.identity.sessions import refresh
from authz.models import AuditEvent, Session
from intmod_site.api.errors import NotAuthenticated
from tests.api_client import ApiClient
from tests.authz.conftest import LogIn
from tests.factories.authz import PASSWORD, MembershipFactory


def test_a_refresh_gives_a_pair_that_works(log_in: LogIn, anonymous: ApiClient) -> None:
    pair = log_in(expires_in=60)
    again = anonymous.ok("POST", "auth/token/refresh", {"refresh": pair["refresh"]})
    assert again["expires_in"] == 60
    ApiClient(again["access"]).ok("GET", "auth/me")
    anonymous.ok("POST", "auth/token/refresh", {"refresh": again["refresh"]})


def test_a_used_token_ends_the_session_and_is_recorded(log_in: LogIn, anonymous: ApiClient) -> None:
    first = log_in()
    second = anonymous.ok("POST", "auth/token/refresh", {"refresh": first["refresh"]})
    anonymous.refused(401, "POST", "auth/token/refresh", {"refresh": first["refresh"]})
    ApiClient(second["access"]).refused(401, "GET", "auth/me")
    anonymous.refused(401, "POST", "auth/token/refresh", {"refresh": second["refresh"]})
    assert Session.objects.get().revoked_reason == "refresh_reused"
    assert AuditEvent.objects.filter(action="session.refresh", outcome="denied").count() == 1


def test_an_access_token_is_no_refresh_token(log_in: LogIn, anonymous: ApiClient) -> None:
    pair = log_in()
    anonymous.refused(401, "POST", "auth/token/refresh", {"refresh": pair["access"]})
    ApiClient(pair["refresh"]).refused(401, "GET", "auth/me")


@pytest.mark.django_db(transaction=True)
def test_of_twenty_concurrent_refreshes_one_succeeds() -> None:
    member = MembershipFactory()
    pair = begin_session(username=member.user.username, password=PASSWORD)
    outcomes: list[bool | Exception] = []
    ready = threading.Barrier(20)

    def attempt() -> None:
        ready.wait()
        try:
            refresh(token=pair.refresh)
            outcomes.append(True)
        except NotAuthenticated:
            outcomes.append(False)
        except Exception as error:  # noqa: BLE001 -- shown by the assertion
            outcomes.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=repr) == [False] * 19 + [True]
