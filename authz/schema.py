"""How our credential looks in the OpenAPI schema."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class CredentialScheme(OpenApiAuthenticationExtension):
    """A Bearer token: JWT or API key."""

    target_class = "authz.api.authentication.CredentialAuthentication"
    name = "credential"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Describe it."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token from /api/v1/auth/token, or an API key.",
        }
