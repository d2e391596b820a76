"""embed: texts in, vectors out."""

from typing import Annotated, Any

import msgspec

from registry.catalog.resolution import Target
from registry.inference.calls import EmbedCall, EmbedResult
from registry.inference.endpoints.endpoint import Endpoint, ModelRequest, Text

MAX_INPUTS = 1000


class EmbedRequest(ModelRequest, kw_only=True):
    """A text, or up to 1000."""

    input: Text | Annotated[list[Text], msgspec.Meta(min_length=1, max_length=MAX_INPUTS)]


def build(request: EmbedRequest, target: Target) -> EmbedCall:  # noqa: ARG001
    """Take one text as a list of one."""
    return EmbedCall(
        inputs=(request.input,) if isinstance(request.input, str) else tuple(request.input)
    )


def present(request: EmbedRequest, result: EmbedResult) -> dict[str, Any]:  # noqa: ARG001
    """Give one vector for each text, in order."""
    return {"vectors": result.vectors, "dimension": result.dimension}


EMBED = Endpoint(
    task="embed",
    summary="Embed texts as vectors.",
    request=EmbedRequest,
    build=build,
    present=present,
    result_schema={
        "type": "object",
        "required": ["vectors", "dimension"],
        "properties": {
            "vectors": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
            "dimension": {"type": "integer"},
        },
    },
)
