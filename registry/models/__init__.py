"""Tables of models."""

from registry.models.catalog import ModelAlias, ModelVersion, RegisteredModel, TaskDefault
from registry.models.inference import InferenceRecord
from registry.models.monitoring import MetricSample
from registry.models.promotion import AliasChange, ApprovalRequest, ProtectedAlias
from registry.models.rollups import VersionMetric
from registry.models.routes import Route
from registry.models.tags import ModelTag, VersionTag

__all__ = [
    "AliasChange",
    "ApprovalRequest",
    "InferenceRecord",
    "MetricSample",
    "ModelAlias",
    "ModelTag",
    "ModelVersion",
    "ProtectedAlias",
    "RegisteredModel",
    "Route",
    "TaskDefault",
    "VersionMetric",
    "VersionTag",
]
