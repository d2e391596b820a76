"""Every route, every method, every role: the answers are those of `matrix.txt`, and no others."""

import pytest

from tests.authz.matrix import file, places
from tests.authz.matrix.asking import Asked, ask_everything
from tests.authz.matrix.callers import ROLES
from tests.authz.matrix.places import Places
from tests.authz.matrix.routes import routes

RENEW = "If this is as it should be: python -m tests.authz.matrix, and read the difference."
NOBODY = ("anonymous", "revoked")


@pytest.fixture
def there(db: None) -> Places:
    return places.build()


def test_every_route_is_in_it() -> None:
    known = {route for route, _method in file.read()}
    assert sorted(set(routes()) - known) == [], RENEW
    assert sorted(known - set(routes())) == [], RENEW


def differences(found: dict[Asked, int], role: str, *, pages: bool) -> list[str]:
    written = {
        asked: cells[role]
        for asked, cells in file.read().items()
        if asked[0].startswith("admin/") is pages
    }
    assert written.keys() <= found.keys(), RENEW
    # Who may not be there is not told which methods there are.
    elsewhere = {405, 401, 302} if role in NOBODY else {405, 302, 403} if pages else {405}
    return [
        f"{method} {route}: {status}, not {written.get((route, method), 405)}"
        for (route, method), status in found.items()
        if (
            status != written[route, method]
            if (route, method) in written
            else status not in elsewhere
        )
    ]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", ROLES)
def test_the_api_answers_each_role_as_written(role: str, there: Places) -> None:
    found = {
        asked: answer.status_code
        for asked, _path, answer in ask_everything(role, there, pages=False)
    }
    assert differences(found, role, pages=False) == [], RENEW


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", ROLES)
def test_the_admin_answers_each_role_as_written(role: str, there: Places) -> None:
    found = {
        asked: answer.status_code
        for asked, _path, answer in ask_everything(role, there, pages=True)
    }
    assert differences(found, role, pages=True) == [], RENEW
