"""Answering the same question again without asking anybody, where a version says for how long.

Exact match only: the key is a keyed hash of the project, the version with what it leads to, and
every part of the call. Answers lie encrypted in the database, for all processes; a copied row is of
no use under another key.
"""

import logging
import random
from datetime import timedelta
from typing import Any

import msgspec
import orjson
from django.db import Error
from django.utils import timezone
from django.utils.crypto import salted_hmac

from authz.secrets.keyring import Place, SecretUnreadable, decrypt, encrypt
from intmod_site.request_context import current_request
from registry.catalog.resolution import Target
from registry.inference.asked import Asked
from registry.inference.calls import (
    AnalyzeCall,
    AnalyzeResult,
    Call,
    ChatCall,
    ChatResult,
    ClassifyCall,
    ClassifyResult,
    EmbedCall,
    EmbedResult,
    Result,
)
from registry.models import CachedAnswer

log = logging.getLogger("intmod.response_cache")

MAX_PER_VERSION = 10_000
MAX_BYTES = 1024 * 1024
TIDIED_EVERY = 200
"""Answers kept, on average, between two removals of what is too old or too much."""

_RESULTS: dict[type[Any], type[Any]] = {
    ChatCall: ChatResult,
    EmbedCall: EmbedResult,
    ClassifyCall: ClassifyResult,
    AnalyzeCall: AnalyzeResult,
}
_COMPLETE = {"stop", "length", "tool_calls"}


def find(asked: Asked, target: Target, call: Call) -> Result | None:
    """Give the kept answer to a call; None if there is none, or the caller wants a fresh one."""
    request = current_request()
    if request is not None and "no-cache" in (request.cache_control or ""):
        return None
    key = _key(asked, target, call)
    fresh = CachedAnswer.objects.filter(key=key, expires_at__gt=timezone.now())
    try:
        body = fresh.values_list("body", flat=True).first()
        if body is None:
            return None
        text = decrypt(body, _place(key))
        result: Result = msgspec.json.decode(text, type=_RESULTS[type(call)])
    except Error:
        log.exception("response cache not read")
        return None
    except (SecretUnreadable, msgspec.DecodeError):
        # Of another key ring, or of an older release: it is replaced.
        return None
    return result


def keep(asked: Asked, target: Target, call: Call, result: Result) -> None:
    """Keep an answer for the version's time; one that is not whole, or too long, is not kept."""
    if isinstance(result, ChatResult) and result.finish_reason not in _COMPLETE:
        return
    text = orjson.dumps(result).decode()
    if len(text) > MAX_BYTES:
        return
    key = _key(asked, target, call)
    row = CachedAnswer(
        key=key,
        version_id=target.version_id,
        body=encrypt(text, _place(key)),
        expires_at=timezone.now() + timedelta(seconds=target.cache_ttl_s),
    )
    try:
        CachedAnswer.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["version_id", "body", "expires_at"],
        )
        if random.randrange(TIDIED_EVERY) == 0:  # noqa: S311 -- no secret hangs on it
            tidy(target)
    except Error:
        # The answer is there: it is not lost for the next one's sake.
        log.exception("response cache not written")


def tidy(target: Target, most: int = MAX_PER_VERSION) -> None:
    """Remove what expired, and of the version's answers those that would expire first."""
    CachedAnswer.objects.filter(expires_at__lte=timezone.now()).delete()
    of_version = CachedAnswer.objects.filter(version_id=target.version_id)
    last = of_version.order_by("-expires_at").values_list("expires_at", flat=True)[most : most + 1]
    for expires_at in last:
        of_version.filter(expires_at__lte=expires_at).delete()


def _key(asked: Asked, target: Target, call: Call) -> str:
    connection = target.connection
    whole = orjson.dumps(
        [
            str(asked.principal.project_id),
            str(target.version_id),
            target.provider,
            target.provider_model,
            connection.base_url if connection else "",
            type(call).__name__,
            call,
        ],
        option=orjson.OPT_SORT_KEYS,
    )
    return salted_hmac("registry.inference.response_cache", whole, algorithm="sha256").hexdigest()


def _place(key: str) -> Place:
    return Place(CachedAnswer._meta.db_table, key, "body")
