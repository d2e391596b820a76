"""What must hold with several web processes, over real sockets."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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
user = create_user(actor=SYSTEM, username="ada", password="correct horse battery staple")
project = create_project(actor=SYSTEM, slug="shop", name="Shop")
set_membership(actor=SYSTEM, user=user, project=project, role=role_named("admin"))
def issue(name):
    return create_api_key(actor=SYSTEM, user=user, project=project, name=name)[1]
print(json.dumps([issue("0"), issue("1")]))
"""
VERSION = {"provider": "elsewhere", "provider_model": "x"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, vendor: str) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), workers=2, vendor=vendor) as server:
        yield server


@pytest.fixture(scope="module")
def keys(server: Server) -> list[str]:
    return list(server.shell(PREPARE))


def statuses(server: Server, count: int, *call: object) -> list[int]:
    with ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(server.call, *call) for _ in range(count)]  # type: ignore[arg-type]
        return sorted(answer.result().status_code for answer in asked)


def test_of_many_who_take_a_name_one_gets_it(server: Server, keys: list[str]) -> None:
    body = {"name": "contested", "model_type": "llm"}
    got = statuses(server, 12, "POST", "registry/models", keys[0], body)
    assert got == [201] + [409] * 11


def test_numbers_are_contiguous_under_concurrent_creation(server: Server, keys: list[str]) -> None:
    server.call("POST", "registry/models", keys[0], {"name": "numbered", "model_type": "llm"})
    path = "registry/models/numbered/versions"
    assert statuses(server, 20, "POST", path, keys[0], VERSION) == [201] * 20
    listed = server.call("GET", path, keys[0]).json()["data"]["results"]
    assert sorted(version["number"] for version in listed) == list(range(1, 21))


def test_a_revoked_key_is_refused_by_every_process(server: Server, keys: list[str]) -> None:
    assert statuses(server, 8, "GET", "auth/me", keys[1]) == [200] * 8
    ended = "from authz.models import APIKey; from authz.identity.keys import revoke_api_key; "
    ended += "from authz.audit.actor import SYSTEM; key = APIKey.objects.get(name='1'); "
    server.shell(ended + "print(str(revoke_api_key(actor=SYSTEM, key=key)).lower())")
    assert statuses(server, 8, "GET", "auth/me", keys[1]) == [401] * 8


def test_of_twenty_refreshes_one_succeeds(server: Server, keys: list[str]) -> None:
    login = {"username": "ada", "password": "correct horse battery staple"}
    pair = server.call("POST", "auth/token", "", login).json()["data"]
    body = {"refresh": pair["refresh"]}
    assert statuses(server, 20, "POST", "auth/token/refresh", "", body) == [200] + [401] * 19
    assert statuses(server, 4, "GET", "auth/me", pair["access"]) == [401] * 4, "a reuse ends it"


def test_what_was_called_is_on_record_after_a_stop(tmp_path: Path, vendor: str) -> None:
    # A place for each caller in either process: the kernel may send them all to one.
    with running_server(tmp_path, workers=2, vendor=vendor, threads=16) as server:
        key = server.shell(PREPARE)[0]
        server.shell(
            "import json; from registry.catalog.versions import register_model; "
            "from authz.audit.actor import SYSTEM; from authz.models import Project; "
            "register_model(actor=SYSTEM, project=Project.objects.get(), model_name='text', "
            "model_type='analysis', provider='local', provider_model='text-analysis', "
            "tasks=['analyze']); print(json.dumps(1))"
        )
        body = {"model": "text", "text": "Good.", "analyses": ["entities"]}
        assert statuses(server, 10, "POST", "ai/analyze", key, body) == [400] * 10
        server.stop()
        count = "from registry.models import InferenceRecord as R; print(R.objects.count())"
        assert server.shell(count) == 10


def test_many_deletes_of_one_thing_are_one_event(server: Server, keys: list[str]) -> None:
    server.call("POST", "registry/models", keys[0], {"name": "gone", "model_type": "llm"})
    got = statuses(server, 8, "DELETE", "registry/models/gone", keys[0])
    assert got == [204] + [404] * 7
    path = "audit/events?action=registeredmodel.delete"
    assert len(server.call("GET", path, keys[0]).json()["data"]["results"]) == 1


def test_rows_that_refer_to_each_other_change_at_once_without_a_deadlock(
    server: Server, keys: list[str]
) -> None:
    external, versions = "integration/external", "registry/models/tangled/versions"
    server.call("POST", "registry/models", keys[0], {"name": "tangled", "model_type": "llm"})
    body = {"name": "tangled", "base_url": "https://api.example.com"}
    work = [
        ("POST", external, body),
        ("PATCH", f"{external}/tangled", {"description": "x"}),
        ("DELETE", f"{external}/tangled", None),
        ("POST", versions, VERSION | {"integration": "tangled"}),
        ("PATCH", "registry/models/tangled", {"description": "x"}),
        ("PUT", "registry/models/tangled/aliases/champion", {"version": 1}),
    ]
    with ThreadPoolExecutor(12) as pool:
        asked = [
            pool.submit(server.call, method, path, keys[0], sent)
            for _ in range(15)
            for method, path, sent in work
        ]
        got = [answer.result() for answer in asked]
    assert [answer.text for answer in got if answer.status_code >= 500] == []
