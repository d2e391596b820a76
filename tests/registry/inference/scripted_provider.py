"""A provider that does as it is told, in the place of a real one."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from registry.inference.calls import (
    Call,
    ChatCall,
    ChatResult,
    Result,
    StreamEnd,
    StreamEvent,
    TextDelta,
    Usage,
)
from registry.inference.local_models.chat_stream import ChatStream
from registry.inference.providers import IN_PROCESS


def hello(call: Call) -> Result:
    return ChatResult("Hello.", "stop", Usage(3, 2))


def pieces(result: ChatResult) -> Generator[StreamEvent]:
    yield TextDelta(result.text)
    yield StreamEnd(result.finish_reason, result.usage)


@dataclass
class ScriptedProvider:
    """Answers each call by `answer`, and remembers the calls."""

    answer: Callable[[Call], Result] = hello
    calls: list[Call] = field(default_factory=list)

    def tasks_of(self, model: str) -> frozenset[str]:
        return IN_PROCESS["local"].tasks_of(model)

    def run(self, call: Call, *, model: str, timeout_s: float) -> Result:
        self.calls.append(call)
        return self.answer(call)

    def stream(self, call: ChatCall, *, model: str, timeout_s: float) -> ChatStream:
        result = self.run(call, model=model, timeout_s=timeout_s)
        assert isinstance(result, ChatResult)
        return ChatStream(pieces(result))


@contextmanager
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedProvider]:
    provider = ScriptedProvider()
    monkeypatch.setitem(IN_PROCESS, "local", provider)
    yield provider
