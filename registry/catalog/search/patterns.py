"""LIKE and ILIKE as MLflow means them: % is any text, _ any character, nothing is escaped.

Django's own lookups escape what they are given, and SQLite's LIKE takes A for a. Beyond ASCII,
SQLite's ILIKE tells upper from lower case.
"""

from typing import Any

from django.db.models import CharField, Lookup, TextField

from intmod_site.prepared import Slot


class Like(Lookup):
    """Case counts."""

    lookup_name = "matches"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Write LIKE, or what SQLite has of its kind: GLOB."""
        left, parameters = self.process_lhs(compiler, connection)
        if connection.vendor == "sqlite":
            pattern = self.rhs.then(_as_glob) if isinstance(self.rhs, Slot) else _as_glob(self.rhs)
            return f"{left} GLOB %s", (*parameters, pattern)
        return f"{left} LIKE %s ESCAPE ''", (*parameters, self.rhs)


class ILike(Lookup):
    """Case does not count."""

    lookup_name = "imatches"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Write ILIKE; SQLite's LIKE is one."""
        left, parameters = self.process_lhs(compiler, connection)
        if connection.vendor == "sqlite":
            return f"{left} LIKE %s", (*parameters, self.rhs)
        return f"{left} ILIKE %s ESCAPE ''", (*parameters, self.rhs)


def _as_glob(pattern: str) -> str:
    written = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
    return "".join(written.get(character, character) for character in pattern)


for column in (CharField, TextField):
    column.register_lookup(Like)
    column.register_lookup(ILike)
