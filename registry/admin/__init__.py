"""Models in the admin."""

from registry.admin import (
    alerts,
    aliases,
    calls,
    defaults,
    models,
    optimization,
    promotion,
    routes,
    samples,
    thresholds,
    versions,
)

__all__ = [
    "alerts",
    "aliases",
    "calls",
    "defaults",
    "models",
    "optimization",
    "promotion",
    "routes",
    "samples",
    "thresholds",
    "versions",
]
