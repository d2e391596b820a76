"""The log of calls: one row an attempt, through the flusher, without anything secret."""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils import timezone

from authz.audit.actor import Actor
from integrations.connections.answers import mask_secrets
from integrations.connections.connection import Connection
from integrations.connections.endpoints import masked
from integrations.connections.headers import CREDENTIAL
from integrations.models import CallRecord
from intmod_site.flusher import add_rows
from intmod_site.redaction import redact
from intmod_site.request_context import current_request_id
from intmod_site.row_table import RowTable

CALLS = RowTable(CallRecord)
KEPT_CHARACTERS = 4000
_READ_CHARACTERS = 100_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt as the log remembers it; `number` 0 is a refusal before the first.

    Args:
        number: From 1.
        status: Of the answer, if there was one.
        error_code, error: What went wrong; empty where nothing did.
        latency_ms: Of this attempt alone.
        response_body: As it came, if it did.
    """

    number: int
    latency_ms: float
    status: int | None = None
    error_code: str = ""
    error: str = ""
    response_body: bytes | None = None


def record_attempt(
    *,
    connection: Connection,
    actor: Actor,
    method: str,
    endpoint: str,
    request_body: bytes | None,
    attempt: Attempt,
    secrets: tuple[str, ...],
) -> None:
    """Hand an attempt's row to the flusher."""
    body = attempt.response_body
    row = CALLS.row(
        created_at=timezone.now(),
        project_id=connection.project_id,
        integration_id=connection.integration_id,
        integration_name=connection.name,
        request_id=current_request_id() or "",
        actor_label=actor.label[:200],
        credential=actor.credential[:60],
        method=method,
        endpoint=_storable(redact(mask_secrets(masked(endpoint), secrets)))[:500],
        attempt=attempt.number,
        status=attempt.status,
        is_error=bool(attempt.error_code),
        error_code=attempt.error_code[:60],
        error=_storable(redact(mask_secrets(attempt.error, secrets)))[:500],
        latency_ms=attempt.latency_ms,
        response_bytes=len(body) if body is not None else None,
        request_text=kept(request_body, secrets) if connection.logs_bodies else None,
        response_text=kept(body, secrets) if connection.logs_bodies else None,
    )
    add_rows((CALLS, row))


def kept(body: bytes | None, secrets: tuple[str, ...]) -> str | None:
    """Give the beginning of a body as it may be kept: values of telling names and all that looks
    like personal data or a credential taken out."""
    if body is None:
        return None
    text = body[:_READ_CHARACTERS].decode("utf-8", errors="replace")
    with suppress(orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
        text = orjson.dumps(_without_credentials(orjson.loads(body))).decode()
    masked_text = redact(mask_secrets(text[:_READ_CHARACTERS], secrets))
    return _storable(masked_text)[:KEPT_CHARACTERS]


def _without_credentials(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "[secret]" if CREDENTIAL.search(name) else _without_credentials(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_without_credentials(inner) for inner in value]
    return value


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)
