"""Holding a model's text to the form that the caller asked for.

Providers promise it to different degrees, some not at all; the gateway's promise is its own.
"""

from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import Call, ChatCall
from registry.inference.providers.failures import Kind
from registry.inference.providers.upstream_errors import UpstreamError

MAX_SCHEMAS = 256


def check_form(call: Call) -> None:
    """Refuse a schema that is none, before anybody is asked.

    Raises:
        ValidationFailed: It is no JSON Schema of draft 2020-12, or refers to another document.
    """
    if isinstance(call, ChatCall) and call.response_schema is not None:
        _validator(_written(call.response_schema))


def check_text(call: ChatCall, text: str, finish_reason: str) -> None:
    """Compare a complete text with the form; one that was cut short or refused has none.

    Raises:
        UpstreamError: UNUSABLE_ANSWER, saying where it does not fit.
    """
    if finish_reason != "stop" or not (call.json_object or call.response_schema is not None):
        return
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise UpstreamError(Kind.UNUSABLE_ANSWER, "It is not JSON.") from None
    if call.response_schema is None:
        if not isinstance(value, dict):
            raise UpstreamError(Kind.UNUSABLE_ANSWER, "It is not a JSON object.")
        return
    for problem in _validator(_written(call.response_schema)).iter_errors(value):
        where = "/" + "/".join(map(str, problem.instance_path))
        raise UpstreamError(Kind.UNUSABLE_ANSWER, f"At {where} it does not fit the schema.")


def _written(schema: dict[str, object]) -> bytes:
    return orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)


@lru_cache(maxsize=MAX_SCHEMAS)
def _validator(schema: bytes) -> Any:
    try:
        return jsonschema_rs.Draft202012Validator(orjson.loads(schema), retriever=_nowhere)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise ValidationFailed.of(
            "response_format", f"It is not a JSON Schema: {str(error).splitlines()[0][:200]}"
        ) from None


def _nowhere(uri: str) -> Any:
    raise ValueError(f"a schema may not refer to {uri[:100]}")
