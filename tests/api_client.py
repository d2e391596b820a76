"""A client of the API that checks every answer against the OpenAPI schema.

Whatever a test asks for, the answer's status, content type and body must be what the schema says
of that route: the schema cannot drift away from the product.
"""

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import jsonschema_rs
from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, resolve
from drf_spectacular.generators import SchemaGenerator

BASE = "/api/v1/"
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


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
        """Ask, and check the answer; `path` is below /api/v1 unless it begins with a slash."""
        path = path if path.startswith("/") else BASE + path
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.credential is not None:
            sent.setdefault("Authorization", f"Bearer {self.credential}")
        response = self.generic(method, path, data, content_type=content_type, headers=sent)
        if path.startswith(BASE):
            check_answer(method, path.partition("?")[0], response)
        return response  # type: ignore[return-value]

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


def check_answer(method: str, path: str, response: Any) -> None:
    """Hold an answer against the schema."""
    if method == "HEAD" or response.status_code == 204:
        assert not response.content
        return
    assert response.headers["Content-Type"] == "application/json", response.headers
    body = json.loads(response.content)
    if "Idempotent-Replayed" not in response.headers:
        assert body["request_id"] == response.headers["X-Request-Id"]
    operation = _operation(method, path)
    if operation is None:
        # A route or method that is not served: the error's shape is the same everywhere.
        assert response.status_code in {401, 404, 405}, (method, path, response.status_code)
        _validator("#/components/schemas/Error").validate(body)
        return
    pointer, responses = operation
    status = str(response.status_code)
    key = status if status in responses else f"{status[0]}XX"
    assert key in responses, f"{method} {path} answered {status}, which the schema does not know"
    _validator(f"{pointer}/responses/{key}/content/application~1json/schema").validate(body)


def _operation(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    try:
        route = resolve(path).route
    except Resolver404:
        return None
    # drf-spectacular calls primary keys what they are.
    template = "/" + CONVERTER.sub(r"{\1}", route).replace("{pk}", "{id}")
    item = _schema()["paths"].get(template, {})
    if method.lower() not in item:
        return None
    escaped = quote(template.replace("~", "~0").replace("/", "~1"), safe="~")
    return f"#/paths/{escaped}/{method.lower()}", item[method.lower()]["responses"]


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(json.dumps(schema, default=str))  # type: ignore[no-any-return]


@lru_cache(maxsize=500)
def _validator(pointer: str) -> Any:
    # The document is its own base, so that references within it resolve.
    document = {"$ref": pointer, **_schema()}
    return jsonschema_rs.Draft202012Validator(document, validate_formats=True)
