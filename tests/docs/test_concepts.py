"""docs/concepts.md covers every name of the guide, and each of its references leads somewhere."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator

from tests.docs.seed_names import SEED_NAMES

PAGE = Path(settings.BASE_DIR) / "docs" / "concepts.md"
NOT_BUILT = "not built yet"
ROW = re.compile(
    r"^\| (?P<names>`[^|]+) \| (?P<meaning>[^|]+) \| (?P<where>[^|]+) \|$", re.MULTILINE
)
QUOTED = re.compile(r"`([^`]+)`")

ROWS = [match.groupdict() for match in ROW.finditer(PAGE.read_text(encoding="utf-8"))]
REFERENCES = sorted({code for row in ROWS for code in QUOTED.findall(row["where"])})


@pytest.mark.parametrize("name", [name for names in SEED_NAMES.values() for name in names])
def test_every_name_of_the_guide_has_a_row(name: str) -> None:
    assert any(name in QUOTED.findall(row["names"]) for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["names"])
def test_a_row_points_at_code_or_says_that_there_is_none(row: dict[str, str]) -> None:
    assert bool(QUOTED.findall(row["where"])) or NOT_BUILT in row["meaning"]


@pytest.mark.parametrize("reference", [text for text in REFERENCES if " /" not in text])
def test_code_references_resolve(reference: str) -> None:
    assert _resolve(reference) is not None


@pytest.mark.parametrize("reference", [text for text in REFERENCES if " /" in text])
def test_route_references_are_in_the_schema(reference: str) -> None:
    method, path = reference.split(" ")
    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert method.lower() in schema["paths"][path]


def _resolve(reference: str) -> object:
    parts = reference.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = getattr(found, name)
        return found
    raise LookupError(reference)
