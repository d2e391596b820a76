"""Many who change the catalog at the same moment, through several processes."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from tests.acceptance.server import Server, running_server
from tests.acceptance.test_several_processes import PREPARE, VERSION

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("registry")
    with running_server(folder, workers=3, vendor=request.param) as server:
        yield server


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return str(server.shell(PREPARE)[0])


def all_at_once(server: Server, key: str, calls: list[tuple[str, str, Any]]) -> Counter[int]:
    with ThreadPoolExecutor(len(calls)) as pool:
        asked = [pool.submit(server.call, method, path, key, body) for method, path, body in calls]
        return Counter(answer.result().status_code for answer in asked)


def make_model(server: Server, key: str, name: str, versions: int = 0) -> str:
    body = {"name": name, "model_type": "llm"}
    assert server.call("POST", "registry/models", key, body).status_code == 201
    path = f"registry/models/{name}"
    for _ in range(versions):
        assert server.call("POST", f"{path}/versions", key, VERSION).status_code == 201
    return path


def test_fifty_creators_get_fifty_numbers(server: Server, key: str) -> None:
    path = f"{make_model(server, key, 'numbered')}/versions"
    got = all_at_once(server, key, [("POST", path, VERSION)] * 50)
    assert got == {201: 50}
    listed = server.call("GET", f"{path}?page_size=100", key).json()["data"]["results"]
    assert sorted(version["number"] for version in listed) == list(range(1, 51))
    assert server.call("DELETE", f"{path}/50", key).status_code == 204
    assert server.call("POST", path, key, VERSION).json()["data"]["number"] == 51


def test_fifty_setters_leave_a_history_without_gaps(server: Server, key: str) -> None:
    path = make_model(server, key, "moved", versions=5)
    alias = f"{path}/aliases/champion"
    got = all_at_once(
        server, key, [("PUT", alias, {"version": index % 5 + 1}) for index in range(50)]
    )
    assert got == {200: 50}
    rows = server.call("GET", f"{alias}/history?page_size=100", key).json()["data"]["results"]
    rows.reverse()
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    for before, after in pairwise(rows):
        assert before["valid_until"] == after["valid_from"] > before["valid_from"]
        assert before["version"] == after["previous_version"] != after["version"]
    current = server.call("GET", alias, key).json()["data"]["version"]
    assert rows[-1]["version"] == current


def test_of_fifty_who_expect_the_same_one_moves_it(server: Server, key: str) -> None:
    path = make_model(server, key, "expected", versions=3)
    alias = f"{path}/aliases/champion"
    first = {"version": 1, "expected_version": 0}
    assert all_at_once(server, key, [("PUT", alias, first)] * 25) == {200: 1, 409: 24}
    second = [{"version": index % 2 + 2, "expected_version": 1} for index in range(25)]
    got = all_at_once(server, key, [("PUT", alias, body) for body in second])
    assert got == {200: 1, 409: 24}


def test_an_alias_never_points_at_a_deleted_version(server: Server, key: str) -> None:
    path = make_model(server, key, "contested", versions=20)
    calls: list[tuple[str, str, Any]] = []
    for number in range(1, 21):
        calls.append(("PUT", f"{path}/aliases/a{number}", {"version": number}))
        calls.append(("DELETE", f"{path}/versions/{number}", None))
    got = all_at_once(server, key, calls)
    assert set(got) <= {200, 204, 404, 409}
    left = server.call("GET", f"{path}/versions?page_size=100", key).json()["data"]["results"]
    aliases = server.call("GET", f"{path}/aliases", key).json()["data"]["results"]
    assert {row["version"] for row in aliases} == {row["number"] for row in left}
    assert got[200] + got[204] == 20


def test_one_approval_is_answered_once(server: Server, key: str) -> None:
    path = make_model(server, key, "approved", versions=1)
    ask = [("POST", f"{path}/versions/1/approvals", {"alias": "champion"})] * 10
    assert all_at_once(server, key, ask) == {201: 1, 409: 9}
    request = server.call("GET", "registry/approvals", key).json()["data"]["results"][0]
    other = server.shell(
        "import json; from authz.audit.actor import SYSTEM; from authz.models import Project; "
        "from authz.identity.keys import create_api_key; "
        "from authz.identity.members import create_user; "
        "from authz.identity.memberships import set_membership; "
        "from authz.identity.roles import role_named; project = Project.objects.get(); "
        "user = create_user(actor=SYSTEM, username='bob', password='correct horse battery stable');"
        "set_membership(actor=SYSTEM, user=user, project=project, role=role_named('admin')); "
        "print(json.dumps(create_api_key(actor=SYSTEM, user=user, project=project, name='b')[1]))"
    )
    answer = f"registry/approvals/{request['id']}"
    calls = [("POST", f"{answer}/{verb}", {}) for verb in ("approve", "reject") * 5]
    assert all_at_once(server, other, calls) == {200: 1, 409: 9}


def test_two_evaluators_leave_one_alert(server: Server, key: str) -> None:
    path = make_model(server, key, "watched", versions=1)
    body = {"model": "watched", "metric": "accuracy", "critical": 0.9}
    assert server.call("POST", "registry/thresholds", key, body).status_code == 201
    measured = {"metrics": {"accuracy": 0.5}}
    server.call("POST", f"{path}/versions/1/performance", key, measured)
    evaluate = (
        "import json; from registry.monitoring.jobs import run_all; "
        "print(json.dumps([run_all()['evaluated'] for _ in range(10)]))"
    )
    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(server.shell, evaluate) for _ in range(3)]
        assert [answer.result() for answer in done] == [[1] * 10] * 3
    alerts = server.call("GET", "registry/alerts", key).json()["data"]["results"]
    assert [alert["state"] for alert in alerts] == ["FIRING"]


def test_those_who_report_at_once_are_kept_and_told_apart(server: Server, key: str) -> None:
    """Reports share transactions; what is wrong with one is told to whoever sent it."""
    make_model(server, key, "reported", versions=2)
    make_model(server, key, "reported-too", versions=1)

    def report(index: int) -> Any:
        name = ("reported-1", "reported-2", "reported-too-1", "nowhere-1")[index % 4]
        metric = "1odd" if index % 5 == 4 else "score"
        sample = {"model_id": name, "metric": metric, "value": index // 2 * 1.0}
        twice = {"ts": "2026-01-01T00:00:00Z"} if index % 3 == 0 else {}
        return {"samples": [sample | twice]}

    def send(index: int) -> tuple[int, int, Any]:
        answer = server.call("POST", "db/metrics", key, report(index))
        return index, answer.status_code, answer.json()

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(send, range(240)))
    kept = 0
    for index, status, body in answers:
        bad = "metric" if index % 5 == 4 else "model_id" if index % 4 == 3 else ""
        assert status == (400 if bad else 201), body
        if bad:
            (field,) = body["error_details"]["fields"]
            assert field["path"] == f"/samples/0/{bad}"
        else:
            assert body["data"]["accepted"] + body["data"]["duplicates"] == 1
            kept += body["data"]["accepted"]
    there, events, requests, current = server.shell(
        "import json; from authz.models import AuditEvent as E; "
        "from registry.models import MetricSample as S, ModelVersion as V; "
        "mine = E.objects.filter(action='modelversion.measure', object_label__startswith='report');"
        "last = {v.identifier: (v.performance_metrics, S.objects.filter(version=v)"
        ".order_by('-ts').values_list('value', flat=True).first()) "
        "for v in V.objects.filter(identifier__startswith='report')}; "
        "print(json.dumps([S.objects.filter(version__identifier__startswith='report').count(), "
        "mine.count(), mine.values('request_id').distinct().count(), last]))"
    )
    assert there == kept
    assert 0 < events == requests <= kept
    assert all(shown == {"score": newest} for shown, newest in current.values())


def test_each_call_is_summed_up_once_by_any_number_of_workers(server: Server, key: str) -> None:
    make_model(server, key, "measured", versions=1)
    samples = [
        {"model_id": "measured-1", "metric": "score", "value": index / 100} for index in range(100)
    ]
    got = all_at_once(server, key, [("POST", "db/metrics", {"samples": samples})] * 4)
    assert got == {201: 4}
    roll = (
        "import json; from datetime import timedelta; from django.utils import timezone; "
        "from registry.monitoring.rollup import roll_up; now = timezone.now(); "
        "print(json.dumps([roll_up(now + timedelta(seconds=20 * step)) for step in range(4)]))"
    )
    with ThreadPoolExecutor(3) as pool:
        for answer in [pool.submit(server.shell, roll) for _ in range(3)]:
            answer.result()
    count = server.shell(
        "from registry.models import MetricRollup as R, MetricSample as S; import json; "
        "rows = R.objects.filter(metric='score', level_s=60); "
        "rolled = sum(rows.values_list('count', flat=True)); "
        "print(json.dumps([rolled, S.objects.filter(metric='score').count()]))"
    )
    assert count[0] == count[1] >= 100
