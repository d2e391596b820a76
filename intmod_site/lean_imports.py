"""Leaving out what a library imports only because it happens to be installed.

Django REST framework tries `requests`, for a test client, and `django.contrib.postgres` with its
driver, for fields that we have none of. In a web process on SQLite they would take a sixth of the
memory and a tenth of the start.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from django.conf import settings


def import_rest_framework() -> None:
    """Import DRF's optional parts, as if what nobody needs here were not installed."""
    engine = settings.DATABASES["default"]["ENGINE"]
    with _hidden("requests", *(() if engine.endswith("postgresql") else ("psycopg",))):
        import_module("rest_framework.compat")


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    finder = _Hidden(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Hidden(MetaPathFinder):
    """Finds none of the packages, wherever they are."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See MetaPathFinder."""
        if name.partition(".")[0] in self._names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None
