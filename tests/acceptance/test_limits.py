"""Limits that hold over several processes, on both databases."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.acceptance.server import Server, running_server
from tests.integrations.http.scripted_server import Peer, ScriptedServer
from tests.registry.inference.raw_upstream import COMPLETION

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PREPARE = """
import json
from decimal import Decimal
from authz.audit.actor import SYSTEM
from authz.identity.keys import create_api_key
from authz.identity.members import create_project, create_user
from authz.identity.memberships import set_membership
from authz.identity.roles import role_named
from authz.limits.call_limits import create_call_limit
from integrations.connections.services import register_integration
from registry.catalog.versions import register_model
user = create_user(actor=SYSTEM, username="ada", password="correct horse battery staple")
keys = {{}}
for slug, limit in {limits!r}.items():
    project = create_project(actor=SYSTEM, slug=slug, name=slug)
    set_membership(actor=SYSTEM, user=user, project=project, role=role_named("developer"))
    keys[slug] = create_api_key(actor=SYSTEM, user=user, project=project, name=slug)[1]
    integration = register_integration(
        actor=SYSTEM, project=project, name="up", base_url="{url}", max_retries=0
    )
    register_model(
        actor=SYSTEM, project=project, model_name="remote", model_type="llm", provider="openai",
        provider_model="x", integration=integration, tasks=["generate"],
        prices={{"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}},
    )
    if "budget_usd" in limit:
        limit["budget_usd"] = Decimal(limit["budget_usd"])
    create_call_limit(actor=SYSTEM, project=project, **limit)
print(json.dumps(keys))
"""
ACCOUNT = """
import json
from authz.limits.holds import taken
from authz.models import HoldAccount
account = HoldAccount.objects.get(key__startswith="{prefix}")
print(json.dumps(taken(key=account.key)))
"""
# A call is estimated at 45 millionths of a dollar and costs 17.
LIMITS = {
    "budget": {"budget_usd": "0.000300"},
    "rate": {"requests_per_minute": 20},
    "parallel": {"parallel_calls": 3},
}
BODY = {"model": "remote", "prompt": "Hi", "max_tokens": 20}
UPSTREAM_S = 0.2
THREADS = 64
"""Of each process: enough for all callers of a test beside those that are kept back."""


class Upstream:
    """Answers after a while, and remembers how many it was answering at once."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0

    def __call__(self, peer: Peer) -> None:
        while peer.request():
            self.running += 1
            self.most = max(self.most, self.running)
            time.sleep(UPSTREAM_S)
            self.running -= 1
            peer.answer(json.dumps(COMPLETION).encode())


Running = tuple[Server, dict[str, str], Upstream]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    upstream = Upstream()
    folder = tmp_path_factory.mktemp("limits")
    with (
        ScriptedServer(upstream) as provider,
        running_server(folder, workers=2, vendor=request.param, threads=THREADS) as server,
    ):
        keys = server.shell(PREPARE.format(url=provider.url("/v1"), limits=LIMITS))
        yield server, keys, upstream


def statuses(server: Server, key: str, calls: int) -> Counter[int]:
    with ThreadPoolExecutor(calls) as pool:
        asked = [pool.submit(server.call, "POST", "ai/generate", key, BODY) for _ in range(calls)]
        return Counter(answer.result().status_code for answer in asked)


def account(server: Server, prefix: str) -> list[int]:
    return list(server.shell(ACCOUNT.format(prefix=prefix)))


def test_fifty_calls_do_not_overshoot_a_budget(running: Running) -> None:
    server, keys, _ = running
    answered = 0
    for _ in range(3):
        got = statuses(server, keys["budget"], 50)
        assert set(got) <= {200, 429}
        answered += got[200]
        settled, held = account(server, "budget:")
        assert (settled, held) == (answered * 17_000, 0)
        assert settled <= 300_000
    while server.call("POST", "ai/generate", keys["budget"], BODY).status_code == 200:
        answered += 1
    # What is left is less than one more call might cost.
    assert 300_000 - 45_000 < answered * 17_000 <= 300_000


def test_a_rate_lets_its_limit_pass_and_no_more(
    running: Running,
) -> None:
    server, keys, _ = running
    began = time.monotonic()
    got = statuses(server, keys["rate"], 50)
    may_have_come_back = int((time.monotonic() - began) / 3) + 1
    assert 20 <= got[200] <= 20 + may_have_come_back
    assert got[429] == 50 - got[200]


def test_no_more_calls_run_at_once_than_may(
    running: Running,
) -> None:
    server, keys, upstream = running
    upstream.most = 0
    got = statuses(server, keys["parallel"], 30)
    assert got[200] >= 3
    assert got[429] == 30 - got[200]
    assert upstream.most <= 3
    assert account(server, "parallel:") == [0, 0]
