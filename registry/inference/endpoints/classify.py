"""classify: texts and labels in, the labels that fit out."""

from typing import Annotated, Any

import msgspec

from intmod_site.api.errors import ValidationFailed
from registry.catalog.resolution import Target
from registry.inference.calls import Classification, ClassifyCall, ClassifyResult, Label
from registry.inference.endpoints.endpoint import Endpoint, ModelRequest, Text

MAX_TEXTS = 1000
MAX_LABELS = 200
LabelName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class DescribedLabel(msgspec.Struct, forbid_unknown_fields=True):
    """A label with what belongs to it."""

    name: LabelName
    description: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class ClassifyRequest(ModelRequest, kw_only=True):
    """A text or several, and the labels to choose from."""

    labels: Annotated[
        list[LabelName | DescribedLabel], msgspec.Meta(min_length=2, max_length=MAX_LABELS)
    ]
    text: Text | None = None
    texts: Annotated[list[Text], msgspec.Meta(min_length=1, max_length=MAX_TEXTS)] | None = None
    multi_label: bool = False


def build(request: ClassifyRequest, target: Target) -> ClassifyCall:  # noqa: ARG001
    """Take one text as a list of one.

    Raises:
        ValidationFailed: Neither or both of text and texts, or a label twice.
    """
    if (request.text is None) == (request.texts is None):
        raise ValidationFailed.of("text", "Give either text or texts.")
    labels = tuple(
        Label(label) if isinstance(label, str) else Label(label.name, label.description)
        for label in request.labels
    )
    if len({label.name for label in labels}) != len(labels):
        raise ValidationFailed.of("labels", "Each label once.")
    texts = (request.text,) if request.text is not None else tuple(request.texts or ())
    return ClassifyCall(texts=texts, labels=labels, multi_label=request.multi_label)


def present(request: ClassifyRequest, result: ClassifyResult) -> Any:
    """Give one classification for `text`, a list of them for `texts`."""
    shown = [_shown(item) for item in result.classifications]
    return shown[0] if request.text is not None else shown


def _shown(item: Classification) -> dict[str, Any]:
    return {
        "labels": item.labels,
        "scores": [{"label": score.label, "score": score.score} for score in item.scores],
    }


_ONE = {
    "type": "object",
    "required": ["labels", "scores"],
    "properties": {
        "labels": {"type": "array", "items": {"type": "string"}, "description": "Those chosen."},
        "scores": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["label", "score"],
                "properties": {"label": {"type": "string"}, "score": {"type": "number"}},
            },
        },
    },
}

CLASSIFY = Endpoint(
    task="classify",
    summary="Sort texts into labels.",
    request=ClassifyRequest,
    build=build,
    present=present,
    result_schema={"oneOf": [_ONE, {"type": "array", "items": _ONE}]},
)
