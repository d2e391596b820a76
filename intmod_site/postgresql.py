"""PostgreSQL connections that can tell whether they live without asking the server.

Before it lends a connection, psycopg's pool sends an empty query and waits for the answer: as long
as the one query that a call needs. A connection that the server ended, or that was restarted
under us, shows it on its socket: there is something to read although nothing was asked. One that
the network lost without a word is ended by the kernel (`KEEPALIVES`).
"""

import select
from collections.abc import Iterable
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus

KEEPALIVES = {
    # https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


class LiveConnection(Connection[Any]):
    """A connection for the pool."""

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

    Args:
        connection: In autocommit, with no query under way.
        statement: With $1, $2, … for its parameters.
        parameters: What `str` makes of them, the server reads.

    Raises:
        psycopg.Error: The server refuses, or is gone.
    """
    driver = connection.pgconn
    result = driver.exec_params(statement.encode(), [str(value).encode() for value in parameters])
    if result.status != ExecStatus.TUPLES_OK:
        if driver.status != ConnStatus.OK:
            raise OperationalError("The server has ended this connection.")
        raise error_from_result(result)
    if not result.ntuples:
        return None
    values = (result.get_value(0, column) for column in range(result.nfields))
    return tuple(None if value is None else value.decode() for value in values)
