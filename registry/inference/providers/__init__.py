"""The providers of models: one file and one line each."""

from registry.inference.providers.adapter import Adapter
from registry.inference.providers.anthropic import AnthropicAdapter
from registry.inference.providers.azure import AzureAdapter
from registry.inference.providers.base import Provider
from registry.inference.providers.local import LocalProvider
from registry.inference.providers.openai import OpenAIAdapter

IN_PROCESS: dict[str, Provider] = {
    "local": LocalProvider(),
}

# Reached through an integration.
ADAPTERS: dict[str, Adapter] = {
    "openai": OpenAIAdapter(),
    "azure": AzureAdapter(),
    "anthropic": AnthropicAdapter(),
}
