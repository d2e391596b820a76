"""The vendors' own clients against our running server, with nothing changed but address and key."""

import base64
import json
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import anthropic
import openai
import pytest
from pydantic import BaseModel

from tests.acceptance.server import Server, running_server
from tests.integrations.http.scripted_server import Peer, ScriptedServer
from tests.registry.inference.raw_upstream import (
    COMPLETION,
    COUNTED,
    DONE,
    END,
    ROLE,
    STOP,
    STREAM_HEAD,
    USAGE,
    chunk,
    delta,
    event,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PREPARE = """
import json
from authz.audit.actor import SYSTEM
from authz.identity.keys import create_api_key
from authz.identity.members import create_project, create_user
from authz.identity.memberships import set_membership
from authz.identity.roles import role_named
from integrations.connections.services import register_integration
from registry.catalog.versions import register_model
project = create_project(actor=SYSTEM, slug="shop", name="Shop")
keys = {{}}
for role in ("developer", "viewer"):
    user = create_user(actor=SYSTEM, username=role, password="correct horse battery staple")
    set_membership(actor=SYSTEM, user=user, project=project, role=role_named(role))
    keys[role] = create_api_key(actor=SYSTEM, user=user, project=project, name=role)[1]
integration = register_integration(
    actor=SYSTEM, project=project, name="up", base_url="{url}", max_retries=0
)
for name in {names}:
    register_model(
        actor=SYSTEM, project=project, model_name=name, model_type="llm", provider="openai",
        provider_model=name, integration=integration,
        tasks=["embed"] if name == "embedder" else ["chat"],
    )
print(json.dumps(keys))
"""
TOOL = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
}
STATUSES = {
    "400": openai.BadRequestError,
    "422": openai.BadRequestError,
    "429": openai.RateLimitError,
    "500": openai.InternalServerError,
    "401": openai.InternalServerError,
}
# Each kind of failure has a model of its own: failures of one after the other open its breaker, and
# the tests run in any order.
FAILING = [f"fails-{how}" for how in (*STATUSES, "once", "break", "anthropic")]
MODELS = sorted(["chat", "embedder", *FAILING])

AGAIN, ASKED, GO_ON = Event(), Event(), Event()


def upstream(peer: Peer) -> None:
    """Do what the last message says."""
    while request := peer.request():
        head, _, raw = request.partition(b"\r\n\r\n")
        body = json.loads(raw)
        if head.startswith(b"POST /v1/embeddings"):
            packed = base64.b64encode(struct.pack("<2f", 0, 1)).decode()
            data = [{"index": at, "embedding": packed} for at in range(len(body["input"]))]
            peer.answer(json.dumps({"data": data, "usage": {"prompt_tokens": 2}}).encode())
            continue
        said = body["messages"][-1]["content"]
        if said == "once":
            if AGAIN.is_set():
                peer.answer(json.dumps(_whole(said, body)).encode())
            else:
                AGAIN.set()
                peer.answer(b"{}", status="429 Too Many", headers="Retry-After: 1")
            continue
        if said == "wait":
            ASKED.set()
            GO_ON.wait(30)
        if said in STATUSES:
            peer.answer(b'{"error": {"message": "as asked"}}', status=f"{said} As Asked")
        elif body.get("stream"):
            peer.send(STREAM_HEAD + b"".join(map(chunk, _pieces(said))))
            if said == "break":
                peer.sock.close()
                return
            peer.send(END)
        else:
            peer.answer(json.dumps(_whole(said, body)).encode())


def _pieces(said: str) -> list[bytes]:
    if said == "look":
        call = {"index": 0, "id": "t1", "function": {"name": "look", "arguments": "{}"}}
        asking = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}
        return [ROLE, event(choices=[asking]), delta(finish="tool_calls"), COUNTED, DONE]
    if said == "break":
        return [ROLE, delta("Hel")]
    return [ROLE, delta("Hel"), delta("lo."), STOP, COUNTED, DONE]


def _whole(said: str, body: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "Hello."}
    finish = "stop"
    if said == "look":
        call = {"id": "t1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        message, finish = {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
    elif "response_format" in body:
        message["content"] = '{"city": "Bern"}' if said == "fit" else '{"city": 1}'
    choice = {"index": 0, "finish_reason": finish, "message": message}
    return {**COMPLETION, "choices": [choice], "usage": USAGE}


Running = tuple[Server, dict[str, str], ScriptedServer]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("clients")
    with (
        ScriptedServer(upstream) as provider,
        running_server(folder, workers=1, vendor="sqlite") as server,
    ):
        keys = server.shell(PREPARE.format(url=provider.url("/v1"), names=MODELS))
        yield server, keys, provider


@pytest.fixture
def client(running: Any) -> Iterator[openai.OpenAI]:
    server, keys, _ = running
    with openai.OpenAI(base_url=f"{server.base_url}/v1", api_key=keys["developer"]) as client:
        yield client


@pytest.fixture
def claude(running: Any) -> Iterator[anthropic.Anthropic]:
    server, keys, _ = running
    with anthropic.Anthropic(base_url=server.base_url, api_key=keys["developer"]) as client:
        yield client


def said(text: str) -> Any:
    return [{"role": "user", "content": text}]


def test_openai_chats(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="chat", messages=said("Hi"))
    assert answer.choices[0].message.content == "Hello."
    assert answer.usage is not None
    assert answer.usage.total_tokens == 13
    assert answer._request_id


def test_openai_streams(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="chat", messages=said("Hi"), stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "Hello."
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 4


def test_openai_accumulates_a_stream(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="chat", messages=said("Hi")) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "Hello."


def test_a_stream_that_breaks_raises(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="fails-break", messages=said("break"), stream=True
    )
    with pytest.raises(openai.APIError, match="broke"):
        list(stream)


@pytest.mark.parametrize("stream", [False, True])
def test_openai_calls_tools(client: openai.OpenAI, stream: bool) -> None:
    if stream:
        with client.chat.completions.stream(
            model="chat", messages=said("look"), tools=[TOOL]
        ) as events:
            answer: Any = events.get_final_completion()
    else:
        answer = client.chat.completions.create(model="chat", messages=said("look"), tools=[TOOL])
    (call,) = answer.choices[0].message.tool_calls
    assert (call.id, call.function.name, call.function.arguments) == ("t1", "look", "{}")
    assert answer.choices[0].finish_reason == "tool_calls"


class Place(BaseModel):
    city: str


def test_openai_parses_an_answer_of_a_form(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(
        model="chat", messages=said("fit"), response_format=Place
    )
    assert answer.choices[0].message.parsed == Place(city="Bern")
    with pytest.raises(openai.InternalServerError, match="not in the form"):
        client.chat.completions.parse(model="chat", messages=said("no"), response_format=Place)


@pytest.mark.parametrize("encoding", [None, "float", "base64"])
def test_openai_embeds(client: openai.OpenAI, encoding: Any) -> None:
    options = {"encoding_format": encoding} if encoding else {}
    answer = client.embeddings.create(model="embedder", input=["a", "b"], **options)
    assert [item.index for item in answer.data] == [0, 1]
    if encoding != "base64":
        assert answer.data[0].embedding == [0, 1]
    assert answer.usage.prompt_tokens == 2


def test_openai_lists_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == MODELS
    assert client.models.retrieve("chat:1").id == "chat:1"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("none")


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_every_failure_is_the_clients_own_exception(
    client: openai.OpenAI, running: Any, status: str
) -> None:
    asked = len(running[2].requests)
    with pytest.raises(STATUSES[status]) as raised:
        client.with_options(max_retries=0).chat.completions.create(
            model=f"fails-{status}", messages=said(status)
        )
    assert raised.value.request_id
    assert raised.value.code
    assert len(running[2].requests) == asked + 1


def test_what_was_tried_again_already_is_not_tried_by_the_client(
    client: openai.OpenAI, running: Any
) -> None:
    asked = len(running[2].requests)
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="fails-401", messages=said("401"))
    assert len(running[2].requests) == asked + 1


def test_refusals_of_our_own_are_the_clients_exceptions(
    client: openai.OpenAI, running: Any
) -> None:
    server, keys, _ = running
    denied = {"wrong": openai.AuthenticationError, keys["viewer"]: openai.PermissionDeniedError}
    for key, raised in denied.items():
        with (
            openai.OpenAI(base_url=f"{server.base_url}/v1", api_key=key) as other,
            pytest.raises(raised),
        ):
            other.chat.completions.create(model="chat", messages=said("Hi"))
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="none", messages=said("Hi"))
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="chat", messages=said("Hi"), n=3)
    assert refused.value.param == "n"
    key = {"Idempotency-Key": "taken"}
    client.chat.completions.create(model="chat", messages=said("Hi"), extra_headers=key)
    with pytest.raises(openai.UnprocessableEntityError):
        client.chat.completions.create(model="chat", messages=said("Other"), extra_headers=key)


def test_what_is_worth_it_is_tried_again_by_the_client(client: openai.OpenAI, running: Any) -> None:
    AGAIN.clear()
    asked = len(running[2].requests)
    answer = client.chat.completions.create(model="fails-once", messages=said("once"))
    assert answer.choices[0].message.content == "Hello."
    assert len(running[2].requests) == asked + 2


def test_a_request_that_is_still_answered_is_a_conflict(
    client: openai.OpenAI, claude: anthropic.Anthropic
) -> None:
    for create, raised in (
        (client.with_options(max_retries=0).chat.completions.create, openai.ConflictError),
        (claude.with_options(max_retries=0).messages.create, anthropic.ConflictError),
    ):
        ASKED.clear()
        GO_ON.clear()
        call: Any = {
            "model": "chat",
            "max_tokens": 50,
            "messages": said("wait"),
            "extra_headers": {"Idempotency-Key": raised.__module__},
        }
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(create, **call)
            try:
                assert ASKED.wait(30)
                with pytest.raises(raised):
                    create(**call)
            finally:
                GO_ON.set()
            assert first.result(30).model == "chat:1"
        assert create(**call).model == "chat:1", "the answer is there again"


def test_what_is_too_large_raises(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    much = said("x" * 5_000_000)
    with pytest.raises(openai.APIStatusError) as refused:
        client.chat.completions.create(model="chat", messages=much)
    assert (refused.value.status_code, refused.value.code) == (413, "payload_too_large")
    with pytest.raises(anthropic.APIStatusError) as too_large:
        claude.messages.create(model="chat", max_tokens=50, messages=much)
    assert too_large.value.status_code == 413


def test_anthropic_chats(claude: anthropic.Anthropic) -> None:
    answer = claude.messages.create(model="chat", max_tokens=50, messages=said("Hi"))
    assert answer.content[0].type == "text"
    assert answer.content[0].text == "Hello."
    assert (answer.stop_reason, answer.usage.input_tokens) == ("end_turn", 9)
    assert answer._request_id


def test_anthropics_beta_part_chats(claude: anthropic.Anthropic) -> None:
    answer = claude.beta.messages.create(model="chat", max_tokens=50, messages=said("Hi"))
    assert answer.content[0].type == "text"
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.count_tokens(model="chat", messages=said("Hi"))


def test_anthropic_takes_a_bearer_too(running: Any) -> None:
    server, keys, _ = running
    with anthropic.Anthropic(base_url=server.base_url, auth_token=keys["developer"]) as claude:
        answer = claude.messages.create(model="chat", max_tokens=50, messages=said("Hi"))
    assert answer.model == "chat:1"


def test_anthropic_streams(claude: anthropic.Anthropic) -> None:
    with claude.messages.stream(model="chat", max_tokens=50, messages=said("Hi")) as stream:
        assert "".join(stream.text_stream) == "Hello."
        final = stream.get_final_message()
    assert (final.usage.input_tokens, final.usage.output_tokens) == (9, 4)


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_calls_tools(claude: anthropic.Anthropic, stream: bool) -> None:
    asked: Any = {
        "model": "chat",
        "max_tokens": 50,
        "messages": said("look"),
        "tools": [{"name": "look", "input_schema": {"type": "object", "properties": {}}}],
    }
    if stream:
        with claude.messages.stream(**asked) as events:
            answer = events.get_final_message()
    else:
        answer = claude.messages.create(**asked)
    block: Any = answer.content[-1]
    assert (block.type, block.id, block.name, block.input) == ("tool_use", "t1", "look", {})
    assert answer.stop_reason == "tool_use"


def test_anthropic_raises_its_own_exceptions(claude: anthropic.Anthropic, running: Any) -> None:
    server, keys, _ = running
    calm = claude.with_options(max_retries=0)
    with pytest.raises(anthropic.BadRequestError):
        calm.messages.create(model="fails-anthropic", max_tokens=50, messages=said("400"))
    with pytest.raises(anthropic.RateLimitError):
        calm.messages.create(model="fails-anthropic", max_tokens=50, messages=said("429"))
    with pytest.raises(anthropic.InternalServerError):
        calm.messages.create(model="fails-anthropic", max_tokens=50, messages=said("500"))
    with pytest.raises(anthropic.NotFoundError):
        calm.messages.create(model="none", max_tokens=50, messages=said("Hi"))
    denied = {
        "wrong": anthropic.AuthenticationError,
        keys["viewer"]: anthropic.PermissionDeniedError,
    }
    for key, raised in denied.items():
        with (
            anthropic.Anthropic(base_url=server.base_url, api_key=key) as other,
            pytest.raises(raised),
        ):
            other.messages.create(model="chat", max_tokens=50, messages=said("Hi"))
    header = {"Idempotency-Key": "claude's"}
    calm.messages.create(model="chat", max_tokens=50, messages=said("Hi"), extra_headers=header)
    with pytest.raises(anthropic.UnprocessableEntityError):
        calm.messages.create(
            model="chat", max_tokens=50, messages=said("Other"), extra_headers=header
        )
    with (
        pytest.raises(anthropic.APIError),
        calm.messages.stream(
            model="fails-anthropic", max_tokens=50, messages=said("break")
        ) as stream,
    ):
        stream.get_final_message()


def test_anthropic_lists_models(claude: anthropic.Anthropic) -> None:
    assert [model.id for model in claude.models.list()] == MODELS
