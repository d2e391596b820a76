"""What every test stands on: a clean configuration, an audit log that can be flushed."""

from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from authz.audit import triggers
from authz.configuration import snapshot


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let the flush between tests empty the audit log; tests of its triggers install them again."""
    with django_db_blocker.unblock():
        triggers.remove(connection)


@pytest.fixture(autouse=True)
def forgotten_configuration() -> Iterator[None]:
    """Revisions begin at the same number in every test; what a process remembers must not."""
    snapshot.forget()
    yield
    snapshot.forget()
