"""The file: one line for each route and method that is served, one column for each role."""

from collections.abc import Mapping
from pathlib import Path

from tests.authz.matrix.callers import ROLES

FILE = Path(__file__).with_name("matrix.txt")
Matrix = dict[tuple[str, str], dict[str, int]]

_HEAD = """\
# Who gets what answer where. Written by `python -m tests.authz.matrix`, read by people, held by
# test_matrix.py. A method without a line is served to nobody: 405, or before that 401, and in the
# admin 302 or 403. What is sent: places.py and bodies.py; who sends it: callers.py.
"""


def read() -> Matrix:
    """Give the file's cells."""
    matrix: Matrix = {}
    for line in FILE.read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        # The route of the front page is empty.
        *cells, method, route = [*line.split(maxsplit=len(ROLES) + 1), ""][: len(ROLES) + 2]
        matrix[route, method] = dict(zip(ROLES, map(int, cells), strict=True))
    return matrix


def write(matrix: Mapping[tuple[str, str], Mapping[str, int]]) -> None:
    """Write the cells; of methods that nobody is served, none."""
    head = "".join(f"{role:>10}" for role in ROLES)
    lines = [_HEAD, f"#{head[1:]} method route"]
    for (route, method), cells in matrix.items():
        if is_served(cells):
            row = "".join(f"{cells[role]:>10}" for role in ROLES)
            lines.append(f"{row} {method:<6} {route}".rstrip())
    FILE.write_text("\n".join(lines) + "\n")


def is_served(cells: Mapping[str, int]) -> bool:
    """Whether the method is served: otherwise it is a 405 for those who may do the most."""
    return cells["superuser"] != 405
