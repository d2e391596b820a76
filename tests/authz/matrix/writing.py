"""Writes the matrix; run by `python -m tests.authz.matrix`, which says when to."""

import pytest

from tests.authz.matrix import file, places
from tests.authz.matrix.asking import ask_everything
from tests.authz.matrix.callers import ROLES


@pytest.mark.timeout(900)
def test_write(db: None) -> None:
    there = places.build()
    matrix: dict[tuple[str, str], dict[str, int]] = {}
    for role in ROLES:
        for pages in (False, True):
            for asked, _path, answer in ask_everything(role, there, pages=pages):
                matrix.setdefault(asked, {})[role] = answer.status_code
    file.write(dict(sorted(matrix.items())))
