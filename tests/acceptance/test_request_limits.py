"""Limits of requests and of tries to log in, over several processes, on both databases."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.acceptance.server import Server, running_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PASSWORD = "correct horse battery staple"
PREPARE = f"""
import json
from authz.audit.actor import SYSTEM
from authz.identity.keys import create_api_key
from authz.identity.members import create_project, create_user
from authz.identity.memberships import set_membership
from authz.identity.roles import role_named
user = create_user(actor=SYSTEM, username="ada", password="{PASSWORD}")
project = create_project(actor=SYSTEM, slug="shop", name="Shop")
set_membership(actor=SYSTEM, user=user, project=project, role=role_named("developer"))
print(json.dumps(create_api_key(actor=SYSTEM, user=user, project=project, name="k")[1]))
"""
LIMIT, CALLERS = 20, 50


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_PER_MINUTE_PER_CREDENTIAL", str(LIMIT))
        folder = tmp_path_factory.mktemp("server")
        with running_server(folder, workers=3, vendor=request.param) as server:
            yield server


def test_a_credential_makes_so_many_requests_at_all_processes(server: Server) -> None:
    key = server.shell(PREPARE)
    began_s = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as pool:
        asked = [pool.submit(server.call, "GET", "auth/me", key) for _ in range(CALLERS)]
        got = Counter(answer.result().status_code for answer in asked)
    came_back = int((time.monotonic() - began_s) * LIMIT / 60) + 1
    assert LIMIT <= got[200] <= LIMIT + came_back
    assert got[429] == CALLERS - got[200]


def test_of_many_wrong_passwords_at_once_five_are_looked_at(server: Server) -> None:
    body = {"username": "nobody", "password": "wrong"}
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(server.call, "POST", "auth/token", "", body) for _ in range(20)]
        got = Counter(answer.result().status_code for answer in asked)
    assert got == {401: 5, 429: 15}
