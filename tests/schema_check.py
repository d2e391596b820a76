"""Holding answers against the OpenAPI schema, so that the schema cannot drift from the product.

Whatever a test asks for under the base, the answer's status, content type and body must be what
the schema says of that route and method.
"""

import json
import re
from functools import lru_cache
from threading import Lock
from typing import Any
from urllib.parse import quote

import jsonschema_rs
from django.urls import Resolver404, resolve
from drf_spectacular.generators import SchemaGenerator

BASE = "/api/v1/"
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
JSON = "application/json"


def check_answer(method: str, path: str, response: Any) -> None:
    """Hold an answer of Django's test client, or of requests, against the schema.

    Args:
        method: HTTP method, in upper case.
        path: The path as the application sees it, without a query; others than the base's pass.
        response: Has `status_code`, `headers` and `content`.
    """
    if not path.startswith(BASE):
        return
    if method == "HEAD":
        assert not response.content
        return
    operation = _operation(method, path)
    if operation is None:
        # A route or method that is not served: the error's shape is the same everywhere.
        assert response.status_code in {400, 401, 404, 405}, (method, path, response.status_code)
        _check_json(response, "#/components/schemas/Error")
        return
    pointer, responses = operation
    status = str(response.status_code)
    key = status if status in responses else f"{status[0]}XX"
    assert key in responses, f"{method} {path} answered {status}, which the schema does not know"
    contents = responses[key].get("content", {})
    if not contents:
        assert not response.content, f"{method} {path} answered a body where none is described"
        return
    given = response.headers["Content-Type"]
    assert given.partition(";")[0] in contents, f"{method} {path} answered {given}"
    if given == JSON:
        escaped = JSON.replace("/", "~1")
        _check_json(response, f"{pointer}/responses/{key}/content/{escaped}/schema")


def _check_json(response: Any, pointer: str) -> None:
    assert response.headers["Content-Type"] == JSON, response.headers
    body = json.loads(response.content)
    if "Idempotent-Replayed" not in response.headers:
        assert body["request_id"] == response.headers["X-Request-Id"], (body, response.headers)
    _validator(pointer).validate(body)


def template_of(route: str) -> str:
    """Give the path by which the schema knows a route; it calls primary keys what they are."""
    return "/" + CONVERTER.sub(r"{\1}", route).replace("{pk}", "{id}")


def _operation(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    try:
        route = resolve(path).route
    except Resolver404:
        return None
    template = template_of(route)
    item = openapi()["paths"].get(template, {})
    if method.lower() not in item:
        return None
    escaped = quote(template.replace("~", "~0").replace("/", "~1"), safe="~")
    return f"#/paths/{escaped}/{method.lower()}", item[method.lower()]["responses"]


# drf-spectacular is imported and configured while it draws up a schema: one thread at a time.
_drawing = Lock()


def openapi() -> dict[str, Any]:
    """Give the schema, drawn up once."""
    with _drawing:
        return _drawn()


@lru_cache(maxsize=1)
def _drawn() -> dict[str, Any]:
    """Give the schema, drawn up once."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(json.dumps(schema, default=str))  # type: ignore[no-any-return]


@lru_cache(maxsize=500)
def _validator(pointer: str) -> Any:
    # The document is its own base, so that references within it resolve.
    document = {"$ref": pointer, **openapi()}
    return jsonschema_rs.Draft202012Validator(document, validate_formats=True)
