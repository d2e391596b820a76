"""analyze: a text in, what can be said about it out."""

from typing import Annotated, Any

import msgspec

from registry.catalog.resolution import Target
from registry.inference.calls import AnalyzeCall, AnalyzeResult
from registry.inference.endpoints.endpoint import Endpoint, ModelRequest, Text

AnalysisName = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]


class AnalyzeRequest(ModelRequest, kw_only=True):
    """A text, and the analyses wanted of it: language, sentiment, keywords, summary."""

    text: Text
    analyses: Annotated[list[AnalysisName], msgspec.Meta(min_length=1, max_length=20)]


def build(request: AnalyzeRequest, target: Target) -> AnalyzeCall:  # noqa: ARG001
    """Ask for each analysis once."""
    return AnalyzeCall(text=request.text, analyses=tuple(dict.fromkeys(request.analyses)))


def present(request: AnalyzeRequest, result: AnalyzeResult) -> dict[str, Any]:  # noqa: ARG001
    """Give the analyses by name."""
    return dict(result.analyses)


ANALYZE = Endpoint(
    task="analyze",
    summary="Analyse a text.",
    request=AnalyzeRequest,
    build=build,
    present=present,
    result_schema={"type": "object", "description": "Each wanted analysis by name."},
)
