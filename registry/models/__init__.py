"""Tables of models."""

from registry.models.catalog import ModelAlias, ModelVersion, RegisteredModel, TaskDefault
from registry.models.inference import InferenceRecord
from registry.models.monitoring import MetricSample
from registry.models.routes import Route

__all__ = [
    "InferenceRecord",
    "MetricSample",
    "ModelAlias",
    "ModelVersion",
    "RegisteredModel",
    "Route",
    "TaskDefault",
]
