"""Answering the same question again without asking anybody, where a version says for how long.

Exact match only: the key is a keyed hash of the project, the version with what it leads to, and
every part of the call. Answers lie encrypted in the database, for all processes; a copied row is of
no use under another key.
"""

import logging
from datetime import timedelta
from itertools import count
from typing import Any

import msgspec
import orjson
from django.db import Error
from django.db.models import Count
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
"""Answers that a process keeps between two removals of what is too old or too much."""

_answers_kept = count()

_RESULTS: dict[type[Any], type[Any]] = {
    ChatCall: ChatResult,
    EmbedCall: EmbedResult,
    ClassifyCall: ClassifyResult,
    AnalyzeCall: AnalyzeResult,
}
_COMPLETE = {"stop", "length", "tool_calls"}


def find(asked: Asked, target: Target, call: Call) -> Result | None:
    """Give the kept answer to a call; None if there is none, or the caller wants a fresh one."""
    if _fresh_one_wanted():
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
    text = orjson.dumps(result)
    if len(text) > MAX_BYTES:
        return
    key = _key(asked, target, call)
    row = CachedAnswer(
        key=key,
        version_id=target.version_id,
        body=encrypt(text.decode(), _place(key)),
        expires_at=timezone.now() + timedelta(seconds=target.cache_ttl_s),
    )
    try:
        CachedAnswer.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["version_id", "body", "expires_at"],
        )
        if next(_answers_kept) % TIDIED_EVERY == 0:
            tidy()
    except Error:
        # The answer is there: it is not lost for the next one's sake.
        log.exception("response cache not written")


def tidy(most: int = MAX_PER_VERSION) -> None:
    """Remove what expired, and of each version's answers beyond `most` those that expire first."""
    CachedAnswer.objects.filter(expires_at__lte=timezone.now()).delete()
    crowded = (
        CachedAnswer.objects.values("version_id")
        .annotate(answers=Count("key"))
        .filter(answers__gt=most)
        .values_list("version_id", flat=True)
    )
    for version_id in list(crowded):
        of_version = CachedAnswer.objects.filter(version_id=version_id)
        last_first = of_version.order_by("-expires_at", "key").values_list("key", flat=True)
        of_version.filter(key__in=last_first[most:]).delete()


def _fresh_one_wanted() -> bool:
    """Tell whether the caller will have no kept answer (RFC 9111, section 5.2.1.4)."""
    request = current_request()
    if request is None or not request.cache_control:
        return False
    directives = request.cache_control.lower().split(",")
    return any(directive.partition("=")[0].strip() == "no-cache" for directive in directives)


def _key(asked: Asked, target: Target, call: Call) -> str:
    connection = target.connection
    whole = orjson.dumps(
        [
            str(asked.principal.project_id),
            str(target.version_id),
            # A changed time begins anew: what was kept for the old one is not given for longer.
            target.cache_ttl_s,
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
