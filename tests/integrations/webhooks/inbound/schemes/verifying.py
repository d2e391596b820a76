"""Asking an adapter about a request."""

import time
from typing import Any

import pytest

from integrations.webhooks.inbound.schemes.scheme import (
    Proven,
    Received,
    SignatureRefused,
    SignatureScheme,
    Terms,
)


def verify(
    scheme: SignatureScheme,
    headers: dict[str, str],
    body: bytes,
    *secrets: str,
    now_s: float | None = None,
    settings: dict[str, Any] | None = None,
) -> Proven:
    received = Received({name.lower(): value for name, value in headers.items()}, body)
    now_s = time.time() if now_s is None else now_s
    return scheme.verify(received, Terms(secrets, settings or {}, now_s, 300))


def refused(*args: Any, **kwargs: Any) -> str:
    """Give the code of the refusal that there must be."""
    with pytest.raises(SignatureRefused) as caught:
        verify(*args, **kwargs)
    assert caught.value.status == 401
    return caught.value.error_code
