"""An admin of another project: no answer tells them anything of the first one."""

import json
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.http import HttpResponse

from tests.api_client import lasting
from tests.authz.matrix import places
from tests.authz.matrix.asking import ask, ask_everything
from tests.authz.matrix.bodies import Sent, sent
from tests.authz.matrix.callers import api_client
from tests.authz.matrix.places import Places
from tests.authz.matrix.routes import API_METHODS, is_page, routes

UUIDS = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
MISSING = {
    "smol": "nope", "erp": "nop", "shop-only": "nothing-1", "champion": "nochamps",
    "/protected": "/nobodyhas", "spread": "nowher", "/metric": "/nosuch",
}  # fmt: skip
"""Names of what is not there, for names of what the other project has."""


SIGNED = "api/v1/integration/webhook/inbound/<str:source>"
"""Whoever has the address is a sender, in whatever project; a signature is what counts there."""


@pytest.fixture
def there(db: None) -> Places:
    return places.build()


def body_of(answer: HttpResponse) -> str:
    streamed = getattr(answer, "streaming_content", None)
    return "" if streamed else answer.content.decode()


@pytest.mark.timeout(600)
def test_no_answer_has_anything_of_another_project(there: Places) -> None:
    theirs = there.ids()
    told: list[str] = []
    for (route, method), path, answer in ask_everything("other", there, pages=False):
        text = body_of(answer)
        # What was asked for by id may be named in the refusal.
        told += [
            f"{method} {route} tells of {what}"
            for row_id, what in theirs.items()
            if row_id in text and row_id not in path and answer.status_code < 400
        ]
    assert told == []


def without(path: str, text: str, there: Places) -> tuple[str, str]:
    """Give path and text with what is not there in place of what the other project has."""
    names = {found: str(uuid4()) for found in UUIDS.findall(path)} | MISSING
    names |= {found: f"msg_{uuid4().hex}" for found in re.findall(r"msg_[0-9a-f]+", path)}
    names[f"events/{places_event(there)}"] = f"events/{places_event(there) + 10**9}"
    names[there.world.version.identifier] = "nope-1"
    for name, missing in sorted(names.items(), key=lambda pair: -len(pair[0])):
        bounded = re.compile(re.escape(name) + r"(?![\w-])")
        if bounded.search(path):
            path, text = bounded.sub(missing, path), bounded.sub(missing, text)
    return path, text


def places_event(there: Places) -> int:
    return there.event_id()


@pytest.mark.timeout(600)
def test_what_is_elsewhere_answers_like_what_is_nowhere(there: Places) -> None:
    client = api_client("other", there)
    bodies = sent(there)
    compared = 0
    for route in routes():
        if is_page(route) or "<" not in route or route.startswith("^") or route == SIGNED:
            continue
        path = there.path(route)
        for method in API_METHODS:
            what = bodies.get(f"{method} {route}", Sent())
            here = ask(client, method, path, what)
            if here.status_code == 405:
                continue
            missing, expected = without(path, body_of(here), there)
            assert missing != path or "tickets" in path, route
            nowhere = ask(client, method, missing, what)
            assert nowhere.status_code == here.status_code, (method, route)
            assert said(nowhere.content.decode()) == said(expected), (method, route)
            compared += 1
    assert compared > 90


def said(text: str) -> Any:
    """Give what an answer says, apart from when and to which request."""
    body = json.loads(text)
    return lasting(body) if "success" in body else body


REFERENCES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "registry/models/own/versions", {"integration": "erp"}),
    ("PATCH", "registry/models/own/versions/1", {"integration": "erp"}),
    ("POST", "registry/thresholds", {"model": "smol"}),
    ("POST", "registry/thresholds", {"model_id": "VERSION"}),
    ("POST", "registry/thresholds", {"integration": "erp"}),
    ("POST", "registry/silences", {"model": "smol"}),
    ("POST", "registry/silences", {"threshold_id": "THRESHOLD"}),
    ("POST", "db/metrics", {"model_id": "VERSION"}),
    ("POST", "auth/limits", {"api_key": "KEY"}),
    ("POST", "auth/service-accounts", {"owner": "USER"}),
    ("POST", "policies/POLICY/attachments", {"kind": "integration", "target": "erp"}),
    ("POST", "policies/POLICY/attachments", {"kind": "model_version", "target": "smol:1"}),
    ("POST", "policies/POLICY/attachments", {"kind": "model_version", "target": "VERSION"}),
    ("POST", "policies/POLICY/attachments", {"kind": "inbound_source", "target": "shop-only"}),
    ("POST", "policies/POLICY/attachments", {"kind": "webhook_endpoint", "target": "ENDPOINT"}),
    ("POST", "integration/external/request", {"integration": "erp"}),
    ("POST", "auth/permissions/check", {"user_id": "USER"}),
    ("POST", "ai/generate", {"model_id": "VERSION"}),
    ("POST", "ai/generate", {"model": "smol"}),
]
"""Bodies that name something of the first project; capitals stand for ids."""

REST: dict[str, dict[str, Any]] = {
    "registry/models/own/versions": {"provider": "local", "provider_model": "x", "tasks": ["chat"]},
    "registry/thresholds": {"metric": "accuracy", "critical": 0.5},
    "registry/silences": {"ends_at": "2100-01-01T00:00:00Z"},
    "auth/limits": {"parallel_calls": 1},
    "auth/service-accounts": {"username": "new", "role": "viewer"},
    "integration/external/request": {"method": "GET", "endpoint": "/x"},
    "auth/permissions/check": {"permission": "registry.view_route"},
    "ai/generate": {"prompt": "Hello"},
}
"""What else those bodies need."""


def test_a_body_that_names_something_of_another_project_is_refused_like_nonsense(
    there: Places,
) -> None:
    client = api_client("other", there)
    version = {"provider": "local", "provider_model": "smollm2-135m-instruct", "tasks": ["chat"]}
    client.ok("POST", "registry/models", {"name": "own", "model_type": "llm"})
    client.ok("POST", "registry/models/own/versions", version)
    policy = client.ok("POST", "policies", {"name": "own", "rules": {}})["id"]
    kinds = {type(row).__name__: str(row.pk) for row in there.world.objects}
    ids = {
        "VERSION": there.world.version.identifier, "THRESHOLD": kinds["Threshold"],
        "KEY": str(there.key.pk), "USER": str(there.member.user_id),
        "ENDPOINT": kinds["WebhookEndpoint"],
    }  # fmt: skip
    for method, path, body in REFERENCES:
        name = list(body)[-1]
        value = ids.get(body[name], body[name])
        answers = []
        for given in (value, nonsense(value)):
            sends = REST.get(path, {}) | body | {name: given}
            if path == "db/metrics":
                sends = {"samples": [{"metric": "accuracy", "value": 1.0, **sends}]}
            answer = client.call(method, path.replace("POLICY", policy), sends)
            assert answer.status_code in {400, 404}, (path, body, answer.content)
            said = json.dumps(lasting(json.loads(answer.content)))
            answers.append(said.replace(given, "GIVEN"))
        assert answers[0] == answers[1], (path, body)


def nonsense(value: str) -> str:
    """Give something of the same form that nothing is called."""
    try:
        UUID(value)
    except ValueError:
        return "nope:1" if ":" in value else "nope"
    return str(uuid4())
