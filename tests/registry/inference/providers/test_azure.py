"""Azure's deployments: asked as the official client asks them, over a socket."""

import json
from typing import Any

import openai
import pytest

from intmod_site.api.errors import ValidationFailed
from registry.catalog.list_prices import list_rates
from registry.inference.calls import EmbedCall
from registry.inference.providers.azure import AzureAdapter
from tests.api_client import ApiClient
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.events import ask_for_stream, read
from tests.registry.inference.providers.calls import HELLO
from tests.registry.inference.raw_upstream import COMPLETION, completing, event, refused, streaming
from tests.registry.inference.raw_upstream import HELLO as HELLO_STREAM

AZURE = AzureAdapter()
DEPLOYMENT = "gpt-4o-prod"
FILTERED = event(prompt_filter_results=[{"prompt_index": 0, "content_filter_results": {}}])
"""What Azure sends before the first piece."""


def of_azure(serve_model: ServeModel, script: Any, **fields: Any) -> Any:
    server = serve_model(script, provider="azure", **{"provider_model": DEPLOYMENT, **fields})
    server.version.integration.base_url = server.url("")
    server.version.integration.save()
    return server


def head_and_body(request: bytes) -> tuple[str, dict[str, str], dict[str, Any]]:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    named = {name.lower(): value.strip() for name, _, value in (h.partition(":") for h in headers)}
    return line, named, json.loads(body)


@pytest.mark.parametrize("version", [None, "2025-03-01-preview"])
def test_it_is_asked_as_the_official_client_asks(
    serve_model: ServeModel, developer: ApiClient, version: str | None
) -> None:
    model = f"{DEPLOYMENT}?api-version={version}" if version else DEPLOYMENT
    server = of_azure(serve_model, completing(COMPLETION), provider_model=model)
    body = {"model": "remote", "messages": [{"role": "user", "content": "Hi"}]}
    answer = developer.ok("POST", "ai/chat", body | {"max_tokens": 20})
    assert answer["result"] == {"role": "assistant", "content": "Hello."}
    client = openai.AzureOpenAI(
        azure_endpoint=server.url(""),
        api_key="sk-upstream-secret-1234",
        api_version=version or "2024-10-21",
    )
    with client:
        client.chat.completions.create(
            model=DEPLOYMENT, messages=[{"role": "user", "content": "Hi"}], max_tokens=20
        )
    (line, headers, sent), (official_line, official_headers, officially_sent) = map(
        head_and_body, server.requests
    )
    assert line == official_line
    assert headers["api-key"] == official_headers["api-key"] == "sk-upstream-secret-1234"
    assert "authorization" not in headers
    assert sent == officially_sent


def test_it_streams(serve_model: ServeModel, developer: ApiClient) -> None:
    server = of_azure(serve_model, streaming(FILTERED, *HELLO_STREAM))
    assert read(ask_for_stream(developer))[-1][1]["data"]["result"] == "Hello."
    line, _, sent = head_and_body(server.requests[0])
    assert line.startswith(f"POST /openai/deployments/{DEPLOYMENT}/chat/completions?api-version=")
    assert sent["stream_options"] == {"include_usage": True}


def test_its_filter_is_a_filter(serve_model: ServeModel, developer: ApiClient) -> None:
    of_azure(serve_model, refused("400 Bad", "The response was filtered", "content_filter"))
    envelope = developer.refused(400, "POST", "ai/generate", {"model": "remote", "prompt": "Hi"})
    assert envelope["error_details"]["code"] == "content_filter"


def test_embeddings_and_odd_names_find_their_path() -> None:
    call = EmbedCall(("Hi",))
    request = AZURE.build(call, model="text-embedding-3/größer", api_key="k", stream=False)
    assert request.path == (
        "/openai/deployments/text-embedding-3%2Fgr%C3%B6%C3%9Fer/embeddings?api-version=2024-10-21"
    )
    assert request.headers == {"content-type": "application/json", "api-key": "k"}
    assert "api-key" not in AZURE.build(call, model="d", api_key=None, stream=False).headers


@pytest.mark.parametrize(
    "model", ["d?api-version=", "d?x=1", "?api-version=1", "d?api-version=a&b"]
)
def test_what_is_no_deployment_is_refused(serve_model: ServeModel, model: str) -> None:
    with pytest.raises(ValidationFailed):
        of_azure(serve_model, completing(), provider_model=model)
    with pytest.raises(ValidationFailed):
        AZURE.build(HELLO, model=model, api_key="k", stream=False)
    with pytest.raises(ValidationFailed):
        AZURE.tasks_of(model)


def test_tasks_and_prices_are_those_of_the_deployments_model() -> None:
    from django.utils import timezone

    assert AZURE.tasks_of("my-embedder?api-version=2024-10-21") == {"embed"}
    assert "embed" not in AZURE.tasks_of("gpt-4o?api-version=2024-10-21")
    rates = list_rates(
        "https://name.openai.azure.com", "gpt-4o?api-version=2024-10-21", timezone.now()
    )
    assert rates is not None
    assert rates.input is not None
