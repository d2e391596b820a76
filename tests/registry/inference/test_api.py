"""The AI endpoints over the API: what they refuse, with which status and for which field."""

from typing import Any

import pytest

from authz.models import Project
from registry.catalog.versions import deactivate_version
from registry.models import InferenceRecord
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR, MembershipFactory, api_key_for
from tests.registry.conftest import Register
from tests.registry.inference.scripted_provider import ScriptedProvider

PROMPT = {"model": "smol", "prompt": "Hi"}


@pytest.fixture
def api(project: Project, register: Register, provider: ScriptedProvider) -> ApiClient:
    register()
    return ApiClient(api_key_for(MembershipFactory(project=project, role_name="developer")))


def test_an_answer_is_as_the_schema_says(api: ApiClient) -> None:
    assert api.ok("POST", "ai/generate", PROMPT)["result"] == "Hello."
    message = {"role": "user", "content": "Hi"}
    answer = api.ok("POST", "ai/chat", {"model": "smol", "messages": [message]})
    assert answer["result"] == {"role": "assistant", "content": "Hello."}
    answer = api.ok("POST", "ai/code", {"model": "smol", "instruction": "x", "language": "C++"})
    assert answer["result"] == {"code": "Hello.", "language": "C++"}


@pytest.mark.parametrize(
    ("body", "status", "code", "path"),
    [
        ({**PROMPT, "model": "none"}, 404, "model_not_found", "/model"),
        ({**PROMPT, "model": "embedder"}, 400, "task_not_supported", "/model"),
        ({**PROMPT, "model": "resting"}, 409, "model_inactive", None),
        ({"prompt": "Hi"}, 400, "validation_error", "/model"),
        ({**PROMPT, "prompt": ""}, 400, "validation_error", "/prompt"),
        ({**PROMPT, "max_tokens": 0}, 400, "validation_error", "/max_tokens"),
        ({**PROMPT, "max_tokens": 4097}, 400, "validation_error", "/max_tokens"),
        ({**PROMPT, "wrong": 1}, 400, "validation_error", "/wrong"),
    ],
)
def test_what_cannot_be_answered_is_said_clearly(
    api: ApiClient,
    register: Register,
    provider: ScriptedProvider,
    body: dict[str, Any],
    status: int,
    code: str,
    path: str | None,
) -> None:
    register("embedder", provider_model="minilm-l6-v2-int8", tasks=["embed"])
    deactivate_version(actor=ACTOR, version=register("resting"))
    envelope = api.refused(status, "POST", "ai/generate", body)
    assert envelope["error_details"]["code"] == code
    fields = envelope["error_details"]["fields"]
    assert [field["path"] for field in fields] == ([path] if path else [])
    assert not provider.calls


def test_another_projects_model_is_as_good_as_none(
    register: Register, other_project: Project, provider: ScriptedProvider
) -> None:
    version = register()
    stranger = ApiClient(api_key_for(MembershipFactory(project=other_project)))
    theirs = stranger.refused(404, "POST", "ai/generate", {**PROMPT, "model": version.identifier})
    missing = stranger.refused(404, "POST", "ai/generate", {**PROMPT, "model": "missing"})
    assert theirs["error_details"] == missing["error_details"]
    assert not InferenceRecord.objects.exclude(version_id=None).exists()


def test_viewers_look_and_do_not_call(project: Project, provider: ScriptedProvider) -> None:
    viewer = ApiClient(api_key_for(MembershipFactory(project=project, role_name="viewer")))
    viewer.refused(403, "POST", "ai/generate", PROMPT)


def test_queries_are_refused_here_too(api: ApiClient) -> None:
    api.refused(400, "POST", "ai/generate?stream=true", PROMPT)
