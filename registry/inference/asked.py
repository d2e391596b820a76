"""A call as somebody asks it, before it is known who answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from authz.identity.principal import Principal
from registry.catalog.resolution import Target
from registry.inference.calls import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What every presenter hands to the gateway.

    Args:
        principal: Who asks.
        task: What the version must be able to do.
        reference: The caller's name for the model; None for the project's default.
        build: From the version that is asked to the provider's call. Asked again for each
            fallback; raises ValidationFailed for what that version cannot be asked.
        body: The request's JSON; kept, redacted, only where the version says so.
    """

    principal: Principal
    task: str
    reference: str | None
    build: Callable[[Target], Call]
    body: Any
