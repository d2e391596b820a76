"""Which providers can be called, and what their models can do.

The providers live a room higher, with the calls; they register here when the app is ready.
"""

from collections.abc import Callable

TasksOf = Callable[[str], frozenset[str]]

_providers: dict[str, TasksOf] = {}
_remote: set[str] = set()


def register_provider(name: str, tasks_of: TasksOf, *, remote: bool) -> None:
    """Make a provider known.

    Args:
        name: As versions name it.
        tasks_of: From a provider's model name to the tasks that it can do; none if unknown.
        remote: Whether it is reached through an integration.
    """
    _providers[name] = tasks_of
    if remote:
        _remote.add(name)


def is_remote(provider: str) -> bool:
    """Whether a provider is reached through an integration."""
    return provider in _remote


def callable_providers() -> list[str]:
    """Give the names of the providers that can be called."""
    return sorted(_providers)


def tasks_of(provider: str, provider_model: str) -> frozenset[str] | None:
    """Give what a model can do; None for a provider that cannot be called."""
    find = _providers.get(provider)
    return find(provider_model) if find else None
