"""The scripted provider as a fixture."""

from collections.abc import Iterator

import pytest

from tests.registry.inference.scripted_provider import ScriptedProvider, scripted


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedProvider]:
    with scripted(monkeypatch) as provider:
        yield provider
