"""Embeddings as OpenAI's protocol has them.

Vectors are asked for in base64, which is less than half the bytes and read faster than decimal
numbers; a server that does not know it sends numbers, which are read too.

Source: https://platform.openai.com/docs/api-reference/embeddings.
"""

import binascii
import math
import sys
from array import array
from typing import Any

import msgspec

from registry.inference.calls import EmbedCall, EmbedResult, Usage
from registry.inference.providers.error_answers import error_in
from registry.inference.providers.reading import UNREADABLE, plausible
from registry.inference.providers.upstream_errors import MalformedUpstream

# How far from 1 a vector's length may be before it is mended; float32 comes within a millionth.
_TOLERANCE = 1e-4


class _Embedding(msgspec.Struct, gc=False):
    embedding: str | list[float]
    index: int | None = None


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int | None = 0


class _Embeddings(msgspec.Struct, gc=False):
    data: list[_Embedding]
    usage: _Usage | None = None


_EMBEDDINGS = msgspec.json.Decoder(_Embeddings)


def body_of(call: EmbedCall, model: str) -> dict[str, Any]:
    """Say what to send."""
    body = {"model": model, "input": call.inputs, "encoding_format": "base64"}
    return body if call.dimensions is None else body | {"dimensions": call.dimensions}


def result_of(body: bytes, call: EmbedCall) -> EmbedResult:
    """Read the vectors, in the order of the inputs and of unit length.

    Raises:
        MalformedUpstream: There is not one vector for each input, they differ in dimension, or
            one cannot be brought to unit length.
        UpstreamError: It is an error instead.
    """
    try:
        answer = _EMBEDDINGS.decode(body)
    except UNREADABLE as error:
        raise error_in(body) or MalformedUpstream(str(error)) from error
    vectors: dict[int, list[float]] = {}
    for at, item in enumerate(answer.data):
        vectors[at if item.index is None else item.index] = _vector(item.embedding)
    if sorted(vectors) != list(range(len(call.inputs))):
        raise MalformedUpstream("There is not one vector for each input.")
    ordered = [vectors[at] for at in range(len(call.inputs))]
    if len({len(vector) for vector in ordered}) > 1:
        raise MalformedUpstream("The vectors differ in dimension.")
    usage = answer.usage
    return EmbedResult(ordered, plausible(Usage(usage.prompt_tokens or 0)) if usage else None)


def _vector(given: str | list[float]) -> list[float]:
    vector = _from_base64(given) if isinstance(given, str) else given
    length = math.hypot(*vector)
    if abs(length - 1) <= _TOLERANCE:
        return vector
    # Asked this way round, so that NaN does not pass.
    if not 0 < length < math.inf:
        raise MalformedUpstream("A vector has no length.")
    return [value / length for value in vector]


def _from_base64(text: str) -> list[float]:
    numbers = array("f")
    try:
        numbers.frombytes(binascii.a2b_base64(text, strict_mode=True))
    except ValueError as error:
        raise MalformedUpstream(f"A vector is not base64 of float32: {error}.") from error
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
