"""What calls measured of a version: read from the inference log, which has it all, when asked.

Writing each call's latency, tokens and cost a second time, one row each, took more processor time
than the rest of the record together.
"""

from typing import Any

from django.db.models import Case, F, FloatField, Q, QuerySet, Value, When
from django.db.models.functions import Cast

from intmod_site.api.errors import ValidationFailed
from registry.models import InferenceRecord, MetricSample, ModelVersion

_FAILED = Q(status__gte=400)
# What calls that failed took in tokens is no measure of the version.
_MEASURES: dict[str, tuple[Any, Q]] = {
    "latency_ms": (F("latency_ms"), Q()),
    "error": (Case(When(_FAILED, then=1.0), default=0.0), Q()),
    "input_tokens": (F("input_tokens"), ~_FAILED & Q(input_tokens__isnull=False)),
    "output_tokens": (F("output_tokens"), ~_FAILED & Q(output_tokens__isnull=False)),
    "cost_usd": (F("cost_usd"), ~_FAILED & Q(cost_usd__isnull=False)),
}
MEASURED_METRICS = tuple(_MEASURES)


def measured_on_calls(version: ModelVersion, metric: str | None) -> QuerySet[InferenceRecord]:
    """Give the version's calls as samples: rows with `metric`, `value`, `ts` and `source`.

    Args:
        version: Whose.
        metric: latency_ms, error (1 for a call that failed, else 0), input_tokens, output_tokens
            or cost_usd.

    Raises:
        ValidationFailed: It is none of these.
    """
    if metric not in _MEASURES:
        raise ValidationFailed.of(
            "metric", f"Calls measure one of {', '.join(MEASURED_METRICS)}; name it."
        )
    value, where = _MEASURES[metric]
    return InferenceRecord.objects.filter(where, version_id=version.pk).annotate(
        metric=Value(metric),
        value=Cast(value, FloatField()),
        ts=F("created_at"),
        source=Value(MetricSample.Source.INFERENCE.value),
    )
