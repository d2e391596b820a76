"""A client of the API; its answers are checked like those of every client (`tests.conftest`)."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.schema_check import BASE


class ApiClient(Client):
    """Sends JSON with a credential.

    Args:
        credential: An API key or access token; None sends none.
    """

    def __init__(self, credential: str | None = None) -> None:
        super().__init__(raise_request_exception=False)
        self.credential = credential

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> HttpResponse:
        """Ask; `path` is below /api/v1 unless it begins with a slash.

        Args:
            body: Sent as JSON; None sends no body.
            raw: Sent as it is, instead of `body`.
            headers: Further headers, with underscores for hyphens.
        """
        path = path if path.startswith("/") else BASE + path
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.credential is not None:
            sent.setdefault("Authorization", f"Bearer {self.credential}")
        return self.generic(method, path, data, content_type=content_type, headers=sent)  # type: ignore[return-value]

    def ok(self, method: str, path: str, body: Any = None, **kwargs: Any) -> Any:
        """Ask for something that must succeed, and give its `data`."""
        response = self.call(method, path, body, **kwargs)
        assert response.status_code < 300, response.content
        return json.loads(response.content)["data"] if response.content else None

    def refused(self, status: int, method: str, path: str, body: Any = None, **kwargs: Any) -> Any:
        """Ask for something that must be refused with `status`, and give the envelope."""
        response = self.call(method, path, body, **kwargs)
        assert response.status_code == status, response.content
        return json.loads(response.content)


def lasting(envelope: dict[str, Any]) -> dict[str, Any]:
    """Give what an envelope says apart from when and which request it was."""
    return {name: envelope[name] for name in envelope.keys() - {"request_id", "timestamp"}}
