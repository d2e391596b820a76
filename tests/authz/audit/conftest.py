"""A guarded log with sealed events in it."""

from collections.abc import Iterator

import pytest
from django.db import connection

from authz.audit import triggers
from authz.audit.seal import seal_events
from tests.authz.audit.tampering import record


@pytest.fixture
def guarded(transactional_db: None) -> Iterator[None]:
    """The triggers, which the suite's flush is otherwise spared."""
    triggers.install(connection)
    yield
    triggers.remove(connection)


@pytest.fixture
def sealed(guarded: None) -> None:
    """Five sealed events."""
    record(5)
    assert seal_events() == 5
