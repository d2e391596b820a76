"""docs/security.md maps the OWASP lists to tests, and each of the tests is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from authz.audit import verify
from tests.authz.audit import test_tampering

ROOT = Path(settings.BASE_DIR)
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TOP_10, ASVS = TEXT.split("## OWASP API Security Top 10, 2023")[1].split("## OWASP ASVS 5.0")
REFERENCE = re.compile(r"`(tests/[^`]+)`")


def rows(part: str, first: str) -> dict[str, list[str]]:
    """Give the test references of each row whose first cell begins with the pattern."""
    return {
        match[0]: REFERENCE.findall(shown)
        for name, _, shown in ROW.findall(part)
        if (match := re.match(first, name))
    }


RISKS = rows(TOP_10, r"API\d+")
REQUIREMENTS = rows(ASVS, r"\d+\.\d+\.\d+")
REFERENCES = sorted(
    {one for found in (RISKS, REQUIREMENTS) for row in found.values() for one in row}
)


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_risk_of_the_top_10_has_a_row() -> None:
    assert list(RISKS) == [f"API{number}" for number in range(1, 11)]


def test_every_row_names_a_test() -> None:
    assert len(REQUIREMENTS) >= 25
    assert [name for name, shown in (RISKS | REQUIREMENTS).items() if not shown] == []


@pytest.mark.parametrize("reference", REFERENCES)
def test_references_lead_to_tests(reference: str) -> None:
    path, _, name = reference.partition("::")
    assert (ROOT / path).is_file()
    found = names_in(path)
    assert name in found if name else [test for test in found if test.startswith("test_")]


def test_every_kind_of_tampering_is_told_and_tested() -> None:
    kinds = set(re.findall(r'_add\(\s*"(\w+)"', Path(str(verify.__file__)).read_text()))
    told = set(re.findall(r"`(\w+_\w+)`", TEXT.split("| It finds | As |")[1].split("```")[0]))
    tested = Path(str(test_tampering.__file__)).read_text()
    assert kinds == told
    assert len(kinds) == 10
    assert [kind for kind in kinds if f'"{kind}"' not in tested] == []
