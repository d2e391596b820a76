"""Texts to vectors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from intmod_site.api.errors import FieldError, ValidationFailed
from registry.inference.calls import EmbedCall, EmbedResult, Usage
from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.model_slot import ModelSlot

if TYPE_CHECKING:
    from registry.inference.local_models.minilm import MiniLM, Tokenized

MODEL = "minilm-l6-v2-int8"
DIMENSIONS = 384
CONTEXT_TOKENS = 256
MAX_INPUTS = 1000
# A call takes milliseconds, so many may wait for it.
MAX_WAITING = 64


def _load() -> "MiniLM":
    from registry.inference.local_models.minilm import MiniLM

    return MiniLM()


minilm_slot: ModelSlot["MiniLM"] = ModelSlot(MODEL, _load, max_waiting=MAX_WAITING)


def embed(call: EmbedCall, *, timeout_s: float) -> EmbedResult:
    """Embed the inputs of a call.

    Args:
        call: Up to MAX_INPUTS texts of up to CONTEXT_TOKENS tokens.
        timeout_s: Seconds for waiting and computing together.

    Returns:
        A vector of 384 floats of unit length for each input, and the tokens read.

    Raises:
        ValidationFailed: Too many inputs, or one is too long (code context_length_exceeded).
        TooManyRequests, ServiceUnavailable, UpstreamTimeout: As ModelSlot and Deadline say.
    """
    check_count(call.inputs, field="input")
    if call.dimensions not in {None, DIMENSIONS}:
        raise ValidationFailed.of(
            "dimensions", f"{MODEL} has {DIMENSIONS}, no less.", code="not_supported"
        )
    deadline = Deadline(timeout_s)
    with minilm_slot.use(deadline) as model:
        tokenized = tokenize_checked(model, call.inputs, field="input")
        vectors = model.embed(tokenized, deadline)
    return EmbedResult(vectors=vectors.tolist(), usage=Usage(sum(tokenized.lengths)))


def check_count(texts: Sequence[str], *, field: str) -> None:
    """Refuse more texts than one call takes.

    Raises:
        ValidationFailed: There are more than MAX_INPUTS.
    """
    if len(texts) > MAX_INPUTS:
        raise ValidationFailed.of(
            field, f"{len(texts)} texts; one call takes at most {MAX_INPUTS}.", code="too_many"
        )


def tokenize_checked(
    model: "MiniLM",
    texts: Sequence[str],
    *,
    field: str,
    positions: Sequence[int] | None = None,
) -> "Tokenized":
    """Split texts into tokens and refuse those that the model cannot read whole.

    Args:
        model: The loaded model.
        texts: What to split.
        field: Where the texts stand in the request, for the error.
        positions: Their indexes there, where they are not 0, 1, 2 and so on.

    Raises:
        ValidationFailed: A text has more tokens than the context (code context_length_exceeded).
    """
    tokenized = model.tokenize(list(texts))
    for index, length in zip(positions or range(len(texts)), tokenized.lengths, strict=True):
        if length > CONTEXT_TOKENS:
            code = "context_length_exceeded"
            message = f"{length} tokens; {MODEL} reads at most {CONTEXT_TOKENS}."
            raise ValidationFailed(
                f"{field}.{index}: {message}",
                fields=(FieldError(f"/{field}/{index}", code, message),),
                code=code,
            )
    return tokenized
