"""The OpenAPI schema is valid, complete, and says what each operation needs."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from authz.api.permissions import ANYONE, AUTHENTICATED
from intmod_site.api.unknown import unknown_route
from registry.inference.surfaces import views as surfaces
from tests.api_client import ApiClient

BASES = ("/api/v1/", "/v1/")
UNKNOWN = {unknown_route, surfaces.unknown_route}
PUBLIC = {
    "/api/v1/auth/token",
    "/api/v1/auth/token/refresh",
    "/api/v1/auth/token/revoke",
    "/api/v1/auth/token/verify",
}
SIGNED = {"/api/v1/integration/webhook/inbound/{source}"}
"""A signature is the credential; an address that leads nowhere is a 404."""


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-any-return]


def routes(patterns: Any, prefix: str = "") -> list[str]:
    found = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and pattern.callback not in UNKNOWN:
            found.append("/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route))
    return found


def test_it_is_valid(schema: dict[str, Any]) -> None:
    assert schema["openapi"] == "3.1.1"
    validate_schema(schema)


def test_every_route_is_in_it(schema: dict[str, Any]) -> None:
    known = routes(get_resolver().url_patterns)
    served = {route.replace("{pk}", "{id}") for route in known if route.startswith(BASES)}
    assert served
    assert served == set(schema["paths"])


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_every_operation_says_who_may(schema: dict[str, Any], db: None) -> None:
    rows = Permission.objects.values_list("content_type__app_label", "codename")
    known = {f"{app}.{codename}" for app, codename in rows} | {AUTHENTICATED}
    for path, method, operation in operations(schema):
        needed = operation.get("x-permission")
        if path in PUBLIC | SIGNED:
            assert needed == ANYONE, f"{method} {path}"
            assert not operation.get("security"), f"{method} {path}"
        else:
            assert needed in known, f"{method} {path} needs {needed}"
            assert operation["security"] == [{"credential": []}], f"{method} {path}"


def test_every_operation_describes_all_its_answers(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        statuses = set(operation["responses"])
        assert {"4XX", "5XX"} < statuses, f"{method} {path}"
        assert all(status in {"4XX", "5XX"} or status[0] == "2" for status in statuses)


def test_it_is_served_and_shown(client: Any) -> None:
    assert client.get("/api/schema").status_code == 200
    page = client.get("/api/docs")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    html = page.content.decode()
    assert not [inline for inline in ("<script>", "<style", "style=", "onclick") if inline in html]


def test_without_a_credential_only_what_is_public_answers(schema: dict[str, Any], db: None) -> None:
    anonymous = ApiClient()
    for path, method, _ in operations(schema):
        row_id = "1" if "/audit/" in path else "01a208bf-fd6d-75ea-89d4-6d6a4c821c08"
        url = re.sub(r"\{(?:\w+_)?id\}", row_id, path)
        url = re.sub(r"\{number\}", "1", url)
        url = re.sub(r"\{\w+\}", "x", url)
        response = anonymous.call(method.upper(), url, {})
        expected = 400 if path in PUBLIC else 404 if path in SIGNED else 401
        assert response.status_code == expected, (method, url, response.status_code)


def test_drawing_it_up_again_changes_nothing(schema: dict[str, Any]) -> None:
    assert SchemaGenerator().get_schema(request=None, public=True) == schema
