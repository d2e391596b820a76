"""Models in the admin."""

from registry.admin import aliases, calls, defaults, models, routes, samples, versions

__all__ = ["aliases", "calls", "defaults", "models", "routes", "samples", "versions"]
