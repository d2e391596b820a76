"""Members changed by several processes at the same moment."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.acceptance.server import Server, running_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PREPARE = """
import json
from authz.audit.actor import SYSTEM
from authz.identity.keys import create_api_key
from authz.identity.members import create_project, create_user
from authz.identity.memberships import set_membership
from authz.identity.roles import role_named
made = []
for number in range(5):
    project = create_project(actor=SYSTEM, slug=f"p{number}", name="P")
    admins = []
    for name in ("ada", "bob"):
        user = create_user(actor=SYSTEM, username=f"{name}{number}", password=None)
        member = set_membership(
            actor=SYSTEM, user=user, project=project, role=role_named("admin")
        )
        key = create_api_key(actor=SYSTEM, user=user, project=project, name="key")[1]
        admins.append([key, str(member.pk)])
    create_user(actor=SYSTEM, username=f"eve{number}", password=None)
    made.append(admins)
print(json.dumps(made))
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("members")
    with running_server(folder, workers=2, vendor=request.param) as server:
        yield server


@pytest.fixture(scope="module")
def projects(server: Server) -> list[Any]:
    return list(server.shell(PREPARE))


def at_once(server: Server, calls: list[tuple[str, str, str, Any]]) -> list[int]:
    with ThreadPoolExecutor(len(calls)) as pool:
        asked = [pool.submit(server.call, *call) for call in calls]
        return sorted(answer.result().status_code for answer in asked)


def test_of_two_admins_who_let_each_other_out_one_stays(
    server: Server, projects: list[Any]
) -> None:
    for (first, first_id), (second, second_id) in projects[:4]:
        got = at_once(
            server,
            [
                ("DELETE", f"auth/memberships/{second_id}", first, None),
                ("DELETE", f"auth/memberships/{first_id}", second, None),
            ],
        )
        # The loser is the last admin, or let out already.
        assert got[0] == 204, got
        assert got[1] in {401, 404, 409}, got


def test_a_person_is_let_in_once(server: Server, projects: list[Any]) -> None:
    (key, _), _ = projects[4]
    body = {"username": "eve4", "role": "viewer"}
    assert at_once(server, [("POST", "auth/memberships", key, body)] * 8) == [201] + [409] * 7
