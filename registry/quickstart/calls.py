"""Asking a running server, as an application would: over HTTP, with an API key."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import requests

from registry.quickstart.questions import QUESTIONS

TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class CallReport:
    """One call: what was asked, and what came back."""

    endpoint: str
    asked: dict[str, Any]
    status: int
    latency_ms: float
    answer: Any
    usage: dict[str, int] | None
    error: str | None

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON."""
        return asdict(self)


def ask_all(base_url: str, api_key: str) -> Iterator[CallReport]:
    """Ask each endpoint its question."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {api_key}"
    for task, question in QUESTIONS.items():
        yield _ask(session, f"{base_url}/api/v1/ai/{task}", question)


def _ask(session: requests.Session, url: str, question: dict[str, Any]) -> CallReport:
    began = time.perf_counter()
    response = session.post(url, json=question, timeout=TIMEOUT_S)
    latency_ms = round((time.perf_counter() - began) * 1000, 1)
    envelope = response.json()
    data = envelope["data"] or {}
    return CallReport(
        endpoint="/" + url.split("/", 3)[3],
        asked=question,
        status=response.status_code,
        latency_ms=latency_ms,
        answer=data.get("result"),
        usage=data.get("usage"),
        error=envelope["error"],
    )
