"""Leaving out what a library imports only because it happens to be installed.

Django REST framework tries `requests`, for a test client, and `django.contrib.postgres` with its
driver, for fields that we have none of; PyJWT can read certificates, and no token of ours has one.
In a web process on SQLite they would take a sixth of the memory and a tenth of the start.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

from django.conf import settings


def import_lean() -> None:
    """Import what brings along too much, as if what nobody needs here were not there."""
    engine = settings.DATABASES["default"]["ENGINE"]
    with _hidden("requests", *(() if engine.endswith("postgresql") else ("psycopg",))):
        import_module("rest_framework.compat")
    with _first_in_line(_Later("cryptography.x509")):
        import_module("jwt")


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    with _first_in_line(_Hidden(names)):
        yield


@contextmanager
def _first_in_line(finder: MetaPathFinder) -> Iterator[None]:
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


class _Later(MetaPathFinder):
    """Finds a module that is loaded when somebody first looks into it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See MetaPathFinder."""
        if name != self._name:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
