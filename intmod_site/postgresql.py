"""PostgreSQL connections that tell whether they live without asking the server, and remember plans.

Before it lends a connection, psycopg's pool sends an empty query and waits for the answer: as long
as the one query that a call needs. A connection that the server ended, or that was restarted
under us, shows it on its socket: there is something to read although nothing was asked. One that
the network lost without a word is ended by the kernel (`KEEPALIVES`).

To plan the query that finds a call's caller takes PostgreSQL ten times as long as to run it. So it
is prepared, once on each connection.
"""

import select
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

KEEPALIVES = {
    # https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


_GONE_STATEMENT = frozenset({b"26000", b"0A000"})
"""The statement is not there, or its plan no longer fits the tables.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""


class LiveConnection(Connection[Any]):
    """A connection for the pool; see `first_text_row` for the other two."""

    prepared: frozenset[bytes] = frozenset()
    prepares = True

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """Execute; the empty query is the pool's question.

        https://www.psycopg.org/psycopg3/docs/api/pool.html#psycopg_pool.ConnectionPool.check_connection

        Raises:
            OperationalError: The connection has ended.
        """
        if query != "":
            return super().execute(query, *args, **kwargs)
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        if not poll.poll(0):
            return None
        # Unless it is closed here, the pool takes it for a good one and lends it again.
        self.pgconn.finish()
        # What ended this one has most likely ended the others. Those that wait in the pool belong
        # to no pool while they wait, so this happens once.
        pool = getattr(self, "_pool", None)
        if pool is not None:
            pool.check()
        raise OperationalError("The server has ended this connection.")


def first_text_row(
    connection: Connection[Any], statement: str, parameters: Iterable[Any]
) -> tuple[str | None, ...] | None:
    """Give a query's first row as PostgreSQL writes it, None if there is none.

    The query is prepared on its first use. Where that does not last, as behind a pooler that gives
    each transaction another of the server's connections, this connection gives it up.

    Args:
        connection: In autocommit, with no query under way.
        statement: With $1, $2, … for its parameters.
        parameters: What `str` makes of them, the server reads.

    Raises:
        psycopg.Error: The server refuses, or is gone.
    """
    values = [str(value).encode() for value in parameters]
    result = _run(connection, statement, values)
    if result.status != ExecStatus.TUPLES_OK:
        if connection.pgconn.status != ConnStatus.OK:
            raise OperationalError("The server has ended this connection.")
        raise error_from_result(result)
    if not result.ntuples:
        return None
    columns = (result.get_value(0, column) for column in range(result.nfields))
    return tuple(None if value is None else value.decode() for value in columns)


def _run(connection: Connection[Any], statement: str, values: list[bytes]) -> PGresult:
    driver = connection.pgconn
    if isinstance(connection, LiveConnection) and connection.prepares:
        name = _name(statement)
        if name not in connection.prepared:
            connection.prepares = (
                driver.prepare(name, statement.encode()).status == ExecStatus.COMMAND_OK
            )
            connection.prepared |= {name}
        if connection.prepares:
            result = driver.exec_prepared(name, values)
            if result.error_field(DiagnosticField.SQLSTATE) not in _GONE_STATEMENT:
                return result
            connection.prepares = False
    return driver.exec_params(statement.encode(), values)


@lru_cache(maxsize=64)
def _name(statement: str) -> bytes:
    return b"intmod_" + blake2b(statement.encode(), digest_size=12).hexdigest().encode()
