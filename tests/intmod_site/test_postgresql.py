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
