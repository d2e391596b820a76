"""Connections that the server ended are noticed before they are lent."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's pool"),
    pytest.mark.django_db(transaction=True),
]


def backend_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (number,) = cursor.fetchone()
    return int(number)


def test_lending_a_connection_asks_the_server_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    backend_id()
    connection.close()
    asked: list[object] = []
    monkeypatch.setattr(
        psycopg.Connection, "execute", lambda _, query, *a, **k: asked.append(query)
    )
    backend_id()
    connection.close()
    assert asked == []


def test_connections_that_the_server_ended_are_replaced() -> None:
    """As after a restart of the server: no request waits for one dead connection after another."""
    import psycopg

    together = threading.Barrier(4)

    def borrow(_: int) -> int:
        try:
            number = backend_id()
            together.wait(30)
            return number
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        ended = set(threads.map(borrow, range(4)))
        assert len(ended) == 4
        connection.close()
        parameters = connection.get_connection_params()
        wanted = {key: parameters[key] for key in ("dbname", "user", "host") if key in parameters}
        with psycopg.connect(**wanted, autocommit=True) as other:
            for each in ended:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [each])
        for _ in range(3):
            lent = set(threads.map(borrow, range(4)))
            assert len(lent) == 4
            assert not lent & ended


def credentials(statement: str = "SELECT $1::int + 1, NULL") -> list[tuple[str | None, ...] | None]:
    from intmod_site.postgresql import first_text_row

    connection.ensure_connection()
    assert connection.connection is not None
    return [first_text_row(connection.connection, statement, [number]) for number in (1, 41)]


def prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'intmod%'")
        (number,) = cursor.fetchone()
    return int(number)


def test_a_query_is_planned_once_on_each_connection() -> None:
    connection.close_pool()
    connection.close()
    assert credentials() == [("2", None), ("42", None)]
    assert prepared() == 1
    connection.close()
    assert credentials() == [("2", None), ("42", None)]
    assert prepared() == 1


@pytest.mark.parametrize("loss", ["DEALLOCATE ALL", "DISCARD ALL"])
def test_a_query_that_the_server_forgot_is_asked_all_the_same(loss: str) -> None:
    assert credentials() == [("2", None), ("42", None)]
    with connection.cursor() as cursor:
        cursor.execute(loss)
    assert credentials() == [("2", None), ("42", None)]
    connection.close_pool()


def test_a_plan_that_no_longer_fits_is_made_anew() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE changing AS SELECT 7 AS number")
    assert credentials("SELECT * FROM changing WHERE number > $1") == [("7",), None]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE changing ALTER number TYPE text")
        cursor.execute("ALTER TABLE changing ALTER number TYPE bigint USING number::bigint")
    assert credentials("SELECT * FROM changing WHERE number > $1") == [("7",), None]
    connection.close_pool()


def test_what_another_client_of_a_pooler_prepared_is_no_fault() -> None:
    from intmod_site.postgresql import _name

    connection.close_pool()
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE {_name('SELECT $1::int + 1, NULL').decode()} AS SELECT 1")
    assert credentials() == [("2", None), ("42", None)]
    connection.close_pool()


def test_a_query_that_the_server_refuses_is_refused() -> None:
    import psycopg

    with pytest.raises(psycopg.errors.UndefinedTable):
        credentials("SELECT $1::int FROM nothing_of_this_name")
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        credentials("SELECT ($1::text || 'a')::int")
    assert credentials() == [("2", None), ("42", None)]
    connection.close_pool()
