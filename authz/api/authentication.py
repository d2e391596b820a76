"""Finding the caller of a request, for DRF views and plain ones alike."""

from typing import Any

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication

from authz.api.request_limits import limit_address, limit_caller
from authz.identity.lookup import find_principal
from authz.identity.principal import Principal
from intmod_site.api.errors import NotAuthenticated
from intmod_site.client_address import client_address


def authenticate(request: HttpRequest) -> Principal | None:
    """Give the caller, or None for a request without a credential.

    The credential is a Bearer token (JWT or API key) or an X-API-Key header.

    Raises:
        NotAuthenticated: There is a credential, but it does not count.
        TooManyRequests: The address or the caller has made too many.
    """
    address = client_address(request)
    limit_address(address)
    credential = _credential(request)
    if credential is None:
        return None
    principal = find_principal(credential, address=address)
    request.principal = principal  # type: ignore[attr-defined]
    limit_caller(principal)
    return principal


def _credential(request: HttpRequest) -> str | None:
    header = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        return request.META.get("HTTP_X_API_KEY")
    scheme, _, credential = header.partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise NotAuthenticated("Send the credential as Authorization: Bearer <token or API key>.")
    return str(credential.strip())


class CredentialAuthentication(BaseAuthentication):
    """`authenticate` for DRF."""

    def authenticate(self, request: Any) -> tuple[Principal, Principal] | None:
        """Give DRF its user and auth, which are one and the same here."""
        principal = authenticate(request._request)
        return (principal, principal) if principal else None

    def authenticate_header(self, request: Any) -> str:
        """Make DRF answer 401, not 403, where the credential is missing."""
        return 'Bearer realm="intmod"'
