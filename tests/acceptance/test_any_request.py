"""Requests as the schema allows them, and as it does not, by three roles: none is a fault of ours.

Every operation is asked about what exists and about anything, with bodies, queries and headers that
schemathesis makes up; each answer is also held against the schema.
"""

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.acceptance.server import Server, running_server
from tests.integrations.http.scripted_server import Peer, ScriptedServer
from tests.registry.inference.raw_upstream import COMPLETION
from tests.schema_check import check_answer, openapi

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

EXAMPLES = 6
"""Requests to each operation, each sent by every role."""
BUDGET_S = 40
"""On a machine that is slower than this, what is left is asked once."""
ROLES = ("viewer", "developer", "admin")
"""The weaker ask first: what an admin changes or deletes, the others asked for while it was."""

PREPARE = """
import json
from authz.identity.keys import create_api_key
from integrations.connections.services import register_integration
from registry.catalog.versions import register_model
from tests.admin.world import ACTOR
from tests.authz.matrix import places as matrix
from tests.authz.matrix.routes import routes
from tests.factories.authz import MembershipFactory
from tests.schema_check import template_of
places = matrix.build()
project = places.world.project
integration = register_integration(
    actor=ACTOR, project=project, name="up", base_url="{url}", max_retries=0
)
register_model(
    actor=ACTOR, project=project, model_name="smol", model_type="llm", provider="openai",
    provider_model="x", integration=integration, tasks=["generate", "chat", "code", "analyze"],
)
keys = {{}}
for role in {roles!r}:
    user = MembershipFactory(project=project, role_name=role).user
    keys[role] = create_api_key(actor=ACTOR, user=user, project=project, name=role)[1]
paths = {{template_of(name): places.path(name) for name in routes() if name.startswith("api/v1/")}}
print(json.dumps([keys, paths]))
"""


def complete(peer: Peer) -> None:
    """Answer like a provider of models, at once."""
    while peer.request():
        peer.answer(json.dumps(COMPLETION).encode())


@dataclass
class Asking:
    """Sends requests as every role, and remembers what came of them."""

    server: Server
    keys: dict[str, str]
    paths: dict[str, str]
    faults: list[str] = field(default_factory=list)
    answered: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    began: float = field(default_factory=time.monotonic)

    def operations(self) -> list[Any]:
        """Give what the server serves; what deletes comes last, and of that the project itself."""
        schema = schemathesis.openapi.from_dict(openapi())
        found = [result.ok() for result in schema.get_all_operations()]
        return sorted(
            (operation for operation in found if operation.path in self.paths),
            key=lambda each: (each.method == "delete", "projects" in each.path, each.label),
        )

    def ask_about(self, operation: Any) -> None:
        """Send made-up requests: well-formed or not, to what exists or to anything."""
        there = parameters(operation.path, self.paths[operation.path])
        cases = st.one_of(
            *[
                operation.as_strategy(generation_mode=mode, path_parameters=where)
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
                for where in (there, None)
            ]
        )
        is_late = time.monotonic() - self.began > BUDGET_S
        bounded = settings(
            max_examples=1 if is_late else EXAMPLES, database=None, phases=[Phase.generate],
            deadline=None, suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        bounded(given(cases)(self.send))()

    def send(self, case: Any) -> None:
        """Send one request as every role."""
        for role, key in self.keys.items():
            credential = {"Authorization": f"Bearer {key}"}
            sent = case.as_transport_kwargs(base_url=self.server.base_url, headers=credential)
            try:
                # By a connection of its own: a server may end one whose last body it did not read.
                answer = requests.request(**sent, timeout=30)
                assert answer.status_code != 500, answer.text
                path = unquote(urlsplit(answer.request.url).path)
                check_answer(case.method.upper(), path, answer)
            except Exception as fault:  # noqa: BLE001 -- all of them are told together
                self.faults.append(f"{role}: {case.as_curl_command()}\n{fault!r}")
                continue
            if answer.status_code < 300:
                self.answered[role].add(case.operation.label)


def parameters(template: str, path: str) -> dict[str, str]:
    """Give the parameters with which a template is the path of something that exists."""
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(template))
    match = re.fullmatch(pattern, path)
    assert match, (template, path)
    return match.groupdict()


@pytest.fixture(params=["sqlite", "postgresql"])
def asking(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Asking]:
    with (
        ScriptedServer(complete) as provider,
        running_server(tmp_path, workers=1, vendor=request.param) as server,
    ):
        keys, paths = server.shell(PREPARE.format(roles=ROLES, url=provider.url("/v1")))
        yield Asking(server, keys, paths)


def test_no_answer_is_a_fault(asking: Asking) -> None:
    for operation in asking.operations():
        if operation.method == "delete" and "projects" in operation.path:
            # Nobody lost their way in before, so that every operation was asked by who may.
            for key in asking.keys.values():
                assert asking.server.call("GET", "auth/me", key).status_code == 200
        asking.ask_about(operation)
    assert not asking.faults, "\n\n".join(asking.faults)
    succeeded = {role: len(labels) for role, labels in asking.answered.items()}
    assert succeeded["viewer"] > 40, succeeded
    assert succeeded["admin"] > succeeded["viewer"] + 40, succeeded
