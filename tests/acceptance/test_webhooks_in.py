"""The same event from many senders at once, at a server of several processes: kept once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.acceptance.server import Server, delivering, running_server
from tests.acceptance.test_several_processes import PREPARE
from tests.integrations.webhooks.inbound.senders import body_of, standard
from tests.schema_check import check_answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

COPIES, EVENTS = 12, 5


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, workers=3, vendor=request.param) as server:
        yield server


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return str(server.shell(PREPARE)[0])


@pytest.fixture
def source(server: Server, key: str) -> Any:
    body = {"name": f"orders-{uuid4().hex}"}
    answer = server.call("POST", "integration/webhook/sources", key, body)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def post(server: Server, address: str, secret: str, event_id: str) -> requests.Response:
    body = body_of({"type": "order.paid", "id": event_id})
    signed = standard(body, secret=secret, event_id=event_id)
    headers = {"Content-Type": "application/json", **signed}
    answer = requests.post(server.base_url + address, data=body, headers=headers, timeout=60)
    check_answer("POST", address, answer)
    return answer


def test_of_many_copies_one_is_kept(server: Server, key: str, source: Any) -> None:
    ids = [f"msg_{number}" for number in range(EVENTS)] * COPIES
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda one: post(server, source["address"], source["secret"], one), ids)
        )
    told = [(answer.status_code, answer.json()["data"]) for answer in answers]
    assert {status for status, _ in told} == {200, 202}
    for event_id in ids[:EVENTS]:
        same = [(status, data) for status, data in told if data["event_id"] == event_id]
        assert [status for status, _ in same].count(202) == 1
        assert len({data["id"] for _, data in same}) == 1
        assert sum(not data["duplicate"] for _, data in same) == 1
    path = f"integration/webhook/received?source={source['name']}"
    listed = server.call("GET", path, key).json()["data"]["results"]
    assert sorted(row["event_id"] for row in listed) == sorted(ids[:EVENTS])


def test_a_revoked_secret_counts_in_no_process(server: Server, key: str, source: Any) -> None:
    path = f"integration/webhook/sources/{source['name']}/rotate-secret"
    fresh = server.call("POST", path, key, {"overlap_s": 0}).json()["data"]["secret"]
    answers = [post(server, source["address"], source["secret"], f"a{n}") for n in range(12)]
    assert {answer.status_code for answer in answers} == {401}
    answers = [post(server, source["address"], fresh, f"b{n}") for n in range(12)]
    assert {answer.status_code for answer in answers} == {202}


def test_two_workers_hand_each_event_on_once(server: Server, key: str) -> None:
    body = {"name": f"told-{uuid4().hex}", "publishes_as": f"shop.e{uuid4().hex}"}
    source = server.call("POST", "integration/webhook/sources", key, body).json()["data"]
    with delivering(server, threads=2) as first, delivering(server, threads=2) as second:
        for number in range(20):
            answer = post(server, source["address"], source["secret"], f"m{number}")
            assert answer.status_code == 202
        path = f"integration/webhook/received?source={source['name']}&state=handled"
        deadline = time.monotonic() + 60
        handled: list[Any] = []
        while len(handled) < 20 and time.monotonic() < deadline:
            time.sleep(0.2)
            handled = server.call("GET", path, key).json()["data"]["results"]
        for worker in (first, second):
            worker.terminate()
        codes = [worker.wait(timeout=60) for worker in (first, second)]
    assert codes == [0, 0]
    assert len(handled) == 20
    assert {row["attempts"] for row in handled} == {1}
    count = (
        "from integrations.models import WebhookMessage as M; "
        f"print(M.objects.filter(event_type={source['publishes_as']!r}).count())"
    )
    assert server.shell(count) == 20
