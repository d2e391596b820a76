"""Connections that the server ended are noticed before they are lent."""

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


def test_a_connection_that_the_server_ended_is_not_lent() -> None:
    import psycopg

    ended = backend_id()
    connection.close()
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("dbname", "user", "host") if name in parameters}
    with psycopg.connect(**wanted, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])
    assert backend_id() != ended
    connection.close()
