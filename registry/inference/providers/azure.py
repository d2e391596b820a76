"""Azure OpenAI by its deployments: OpenAI's protocol at another path, with another header.

The integration's base URL is the resource's, as the official client's `azure_endpoint` is:
`https://NAME.openai.azure.com`. A version's `provider_model` is the name of a deployment, with
another version of Azure's API behind it where need be: `gpt-4o?api-version=2025-03-01-preview`.
Azure's newer v1 API is OpenAI's own: there the provider is `openai`.

Source: https://learn.microsoft.com/azure/ai-foundry/openai/reference.
"""

import re
from dataclasses import replace
from urllib.parse import quote

from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import Call
from registry.inference.providers.adapter import UpstreamRequest
from registry.inference.providers.openai import OpenAIAdapter

API_VERSION = "2024-10-21"
"""The last stable one; since then Azure develops its v1 API."""

_MODEL = re.compile(
    r"(?P<deployment>[^?]+)(?:\?api-version=(?P<version>[0-9a-z-]{1,40}))?", re.ASCII
)


class AzureAdapter(OpenAIAdapter):
    """Speaks OpenAI's protocol to a deployment; see Adapter."""

    def tasks_of(self, model: str) -> frozenset[str]:
        """Give a deployment's tasks by its name; see OpenAIAdapter.

        Raises:
            ValidationFailed: It is none.
        """
        return super().tasks_of(_taken_apart(model)[0])

    def build(
        self, call: Call, *, model: str, api_key: str | None, stream: bool
    ) -> UpstreamRequest:
        """Say what to send; see Adapter."""
        deployment, version = _taken_apart(model)
        request = super().build(call, model=deployment, api_key=None, stream=stream)
        path = f"/openai/deployments/{quote(deployment, safe='')}{request.path}"
        headers = request.headers | ({"api-key": api_key} if api_key else {})
        return replace(request, path=f"{path}?api-version={version}", headers=headers)


def _taken_apart(model: str) -> tuple[str, str]:
    match = _MODEL.fullmatch(model)
    if match is None:
        raise ValidationFailed.of(
            "provider_model", "Write DEPLOYMENT or DEPLOYMENT?api-version=VERSION."
        )
    return match["deployment"], match["version"] or API_VERSION
