"""Every route that calls a model, what it takes, and a provider that answers all of them."""

from typing import Any

from registry.inference.calls import (
    AnalyzeCall,
    AnalyzeResult,
    Call,
    Classification,
    ClassifyCall,
    ClassifyResult,
    EmbedCall,
    EmbedResult,
    LabelScore,
    Result,
    Usage,
)
from registry.inference.providers.local import LOCAL_MODELS
from tests.registry.conftest import Register
from tests.registry.inference.scripted_provider import hello

MESSAGES = {"messages": [{"role": "user", "content": "Hi"}]}
BODIES: dict[str, dict[str, Any]] = {
    "ai/generate": {"prompt": "Hi"},
    "ai/chat": MESSAGES,
    "ai/code": {"instruction": "Greet.", "language": "python"},
    "ai/analyze": {"text": "Hi", "analyses": ["language"]},
    "ai/classify": {"text": "Hi", "labels": ["a", "b"]},
    "ai/embed": {"input": "Hi"},
    "/v1/chat/completions": MESSAGES,
    "/v1/messages": {**MESSAGES, "max_tokens": 9},
    "/v1/embeddings": {"input": "Hi"},
}
STREAMED = ("ai/generate", "ai/chat", "ai/code", "/v1/chat/completions", "/v1/messages")
_TASKS = {"/v1/chat/completions": "chat", "/v1/messages": "chat", "/v1/embeddings": "embed"}


def task_of(path: str) -> str:
    return _TASKS.get(path, path.removeprefix("ai/"))


def register_for(path: str, register: Register) -> None:
    """Register a model, called "model", that can be asked there."""
    task = task_of(path)
    name, local = next((name, local) for name, local in LOCAL_MODELS.items() if task in local.tasks)
    register("model", provider_model=name, tasks=sorted(local.tasks))


def answer(call: Call) -> Result:
    """Answer any call."""
    match call:
        case EmbedCall():
            return EmbedResult([[1.0]], Usage(1))
        case AnalyzeCall():
            return AnalyzeResult({"language": {"language": "en", "confidence": 0.9}})
        case ClassifyCall():
            scores = [LabelScore("a", 0.9), LabelScore("b", 0.1)]
            return ClassifyResult([Classification(["a"], scores)], Usage(1))
    return hello(call)
