"""The triggers that let rows be added to the audit log and its chain, and nothing else.

Events alone may be deleted, below a prune marker. A marker is a row that cannot be taken back, and
`verify_audit_log` knows it from a forged one by its signature.
"""

from typing import Any

EVENTS, SEALS = "authz_auditevent", "authz_auditseal"
CHECKPOINTS, MARKERS = "authz_auditcheckpoint", "authz_auditprunemarker"
KEYS = {EVENTS: ("id",), SEALS: ("seq", "event_id"), CHECKPOINTS: ("id",), MARKERS: ("id",)}
"""Tables, and the unique columns by which INSERT OR REPLACE would reach an older row."""

REFUSAL = "the audit log is append-only"
PRUNABLE = (
    f"SELECT 1 FROM {SEALS} WHERE event_id = OLD.id AND seq <= "  # noqa: S608 -- our own names
    f"(SELECT MAX(through_seq) FROM {MARKERS})"
)


def install(connection: Any) -> None:
    """Install the triggers; in a transaction of the caller's, where there is one."""
    _run(connection, _sqlite() if connection.vendor == "sqlite" else _postgresql())


def remove(connection: Any) -> None:
    """Remove the triggers."""
    if connection.vendor == "sqlite":
        _run(connection, {name: f"DROP TRIGGER IF EXISTS {name}" for name in _sqlite()})
    else:
        _run(
            connection,
            {
                name: f"DROP TRIGGER IF EXISTS {name} ON {table}"
                for name, table in _postgresql_triggers()
            },
        )


def altered(connection: Any) -> list[str]:
    """Name the triggers that are missing, switched off, or not what `install` made of them."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            there = dict(cursor.fetchall())
            wanted = {name: _after_name(name, sql) for name, sql in _sqlite().items()}
            return [
                name
                for name, body in wanted.items()
                if name not in there or _after_name(name, there[name]) != body
            ]
        cursor.execute(
            "SELECT t.tgname, t.tgrelid::regclass::text, t.tgenabled, p.proname, p.prosrc "
            "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal"
        )
        sound = {
            (name, table)
            for name, table, enabled, function, source in cursor.fetchall()
            if enabled in {"O", "A"} and source.strip() == _FUNCTIONS.get(function)
        }
    return [
        f"{name} on {table}" for name, table in _postgresql_triggers() if (name, table) not in sound
    ]


def _sqlite() -> dict[str, str]:
    """Give the statements by the trigger's name."""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    statements: dict[str, str] = {}
    for table, keys in KEYS.items():
        taken = " OR ".join(f"{key} = NEW.{key}" for key in keys)
        statements |= {
            f"{table}_no_update": f"BEFORE UPDATE ON {table} {refuse}",
            f"{table}_no_delete": f"BEFORE DELETE ON {table} "
            + (f"WHEN NOT EXISTS ({PRUNABLE}) " if table == EVENTS else "")
            + refuse,
            # REPLACE deletes the older row without a delete trigger, unless the connection says
            # recursive_triggers; other programs' connections do not.
            f"{table}_no_replace": f"BEFORE INSERT ON {table} "  # noqa: S608 -- our own names
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken}) {refuse}",
        }
    return {
        name: f"CREATE TRIGGER IF NOT EXISTS {name} {rest}" for name, rest in statements.items()
    }


def _after_name(name: str, sql: str) -> str:
    return " ".join(sql.partition(name)[2].replace('"', " ").split())


_FUNCTIONS = {
    "audit_refuse": f"BEGIN RAISE EXCEPTION '{REFUSAL}'; END",
    "audit_refuse_unless_pruned": (
        f"BEGIN IF EXISTS ({PRUNABLE}) THEN RETURN OLD; END IF; RAISE EXCEPTION '{REFUSAL}'; END"
    ),
}


def _postgresql() -> dict[str, str]:
    statements = {
        name: f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger "
        f"LANGUAGE plpgsql AS $$ {body} $$"
        for name, body in _FUNCTIONS.items()
    }
    for name, table in _postgresql_triggers():
        verb = name.rpartition("_")[2].upper()
        deletes_events = table == EVENTS and verb == "DELETE"
        statements[name] = (
            f"CREATE OR REPLACE TRIGGER {name} BEFORE {verb} ON {table} "
            f"FOR EACH {'STATEMENT' if verb == 'TRUNCATE' else 'ROW'} EXECUTE FUNCTION "
            f"{'audit_refuse_unless_pruned' if deletes_events else 'audit_refuse'}()"
        )
    return statements


def _postgresql_triggers() -> list[tuple[str, str]]:
    return [
        (f"{table}_no_{verb}", table) for table in KEYS for verb in ("update", "delete", "truncate")
    ]


def _run(connection: Any, statements: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements.values():
            cursor.execute(statement)
