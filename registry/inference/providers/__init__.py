"""The providers of models: one file and one line each."""

from registry.inference.providers.base import Provider
from registry.inference.providers.local import LocalProvider

PROVIDERS: dict[str, Provider] = {
    "local": LocalProvider(),
}
