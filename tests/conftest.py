"""What every test stands on: a clean configuration, checked answers, a log that can be flushed."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from hypothesis import settings
from pytest_django import DjangoDbBlocker

from authz.audit import triggers
from authz.configuration import snapshot
from tests import second_run, standing_rows
from tests.schema_check import check_answer

# How long an example takes says how busy the machine is, nothing else.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Wait for the run on PostgreSQL last, whatever the order of the others."""
    items.sort(key=lambda item: "test_on_postgresql" in item.nodeid)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin the run on PostgreSQL early, if it is asked for."""
    collecting_only = session.config.option.collectonly
    if not collecting_only and any("test_on_postgresql" in item.nodeid for item in session.items):
        second_run.start()


def pytest_sessionfinish() -> None:
    """Leave no run behind."""
    second_run.stop()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the flush between tests empty the audit log; tests of its triggers install them again."""
    with django_db_blocker.unblock():
        triggers.remove(connection)
        standing_rows.keep()
    yield
    if connection.vendor == "postgresql":
        # A thread that a test left behind may hold a connection a little longer than the last
        # test runs, and PostgreSQL drops no database that somebody is connected to.
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session", autouse=True)
def checked_answers() -> Iterator[None]:
    """Hold every answer that any test's client gets from the API against its schema."""
    ask = Client.request

    def ask_and_check(self: Client, **request: Any) -> Any:
        response = ask(self, **request)
        check_answer(request["REQUEST_METHOD"], request["PATH_INFO"], response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "request", ask_and_check)
        yield


@pytest.fixture(autouse=True)
def forgotten_configuration() -> Iterator[None]:
    """Revisions begin at the same number in every test; what a process remembers must not."""
    snapshot.forget()
    yield
    snapshot.forget()
