"""What touches the database holds on PostgreSQL too: those tests run once more there."""

import pytest

from tests import second_run


@pytest.mark.skipif(second_run.IS_SECOND, reason="this is the run on PostgreSQL")
@pytest.mark.timeout(1200)
def test_the_database_tests_pass_on_postgresql() -> None:
    code, written = second_run.result()
    assert code == 0, written
