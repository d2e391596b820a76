"""Tables of models."""

from registry.models.catalog import ModelAlias, ModelVersion, RegisteredModel, TaskDefault
from registry.models.inference import InferenceRecord
from registry.models.monitoring import MetricSample
from registry.models.optimization import OptimizationRule, Recommendation
from registry.models.promotion import AliasChange, ApprovalRequest, ProtectedAlias
from registry.models.response_cache import CachedAnswer
from registry.models.rollups import (
    MetricDefinition,
    MetricRollup,
    RollupPosition,
    VersionMetric,
)
from registry.models.routes import Route
from registry.models.tags import ModelTag, VersionTag
from registry.models.thresholds import Alert, Silence, Threshold

__all__ = [
    "Alert",
    "AliasChange",
    "ApprovalRequest",
    "CachedAnswer",
    "InferenceRecord",
    "MetricDefinition",
    "MetricRollup",
    "MetricSample",
    "ModelAlias",
    "ModelTag",
    "ModelVersion",
    "OptimizationRule",
    "ProtectedAlias",
    "Recommendation",
    "RegisteredModel",
    "RollupPosition",
    "Route",
    "Silence",
    "TaskDefault",
    "Threshold",
    "VersionMetric",
    "VersionTag",
]
