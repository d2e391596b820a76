"""Whatever is sent to the registry's routes, it is refused or answered, and never breaks."""

import json
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from authz.models import Project
from registry.models import OptimizationRule, Recommendation
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register

pytestmark = pytest.mark.django_db

FILTERS = [
    "", " ", "\t\n", "'", "''", "`", "``", "``.a = 'b'", "tags.`` = ''", "tags.`a``b` = 'c'", "()",
    "((((", "name = 'a", 'name = "a"', "name = 'a' AND", "AND", "NOT", "NOT NOT NOT name = 'a'",
    "name IN ()", "name IN ('a',)", "name IN 'a'", "name LIKE '%'", "name LIKE '\\'",
    "name LIKE ''",
    "name ILIKE '%\\%'", "name LIKE '" + "%a" * 500 + "'", "name = ''", "name = '\ud83d\ude00'",
    "version_number = -1", "version_number = 1e400", "version_number = 1e308",
    "version_number > 99999999999999999999", "version_number = '٣'", "version_number = 1.5",
    "created_at > 'x'", "created_at > ''", "created_at > 99999999999999999999",
    "created_at > -99999999999999", "created_at > '0001-01-01T00:00:00+23:59'",
    "created_at < '9999-12-31T23:59:59-23:59'", "created_at = 1e300", "updated_at > '2026-02-30'",
    "metrics.a > 1e308", "metrics.a.p95 > -1e308", "metrics.a.p94 < 1", "metrics. > 1",
    "metrics.`a b`.p95 < 1", "metrics.a IS NULL", "metrics.a LIKE 'x'", "metrics.a = 'x'",
    "aliases.champion", "aliases.champion = 99999999999999999", "aliases. = 1", "alias = ''",
    "alias LIKE '%'", "NOT aliases.champion", "is_active", "is_active = 1", "is_active = 'maybe'",
    "is_active = true", "tags.a IS NOT", "tags.a IS NULL OR tags.b = '" + "x" * 3000 + "'",
    "a.b.c.d = 'e'", "name == 'a'", "name <> 'a'", "name ; DROP TABLE x", "name = 'a' -- b",
    "\u0000", "name = '\u0000'", "name = '\ud800'", "n\u00e4me = 'a'", "name = 0x10", "name = null",
    " OR ".join(["name = 'a'"] * 500), "(" * 60 + "name = 'a'" + ")" * 60,
    "(" * 5000 + "name = 'a'" + ")" * 5000, "NOT " * 5000 + "name = 'a'",
    "name IN (" + ", ".join(["'a'"] * 5000) + ")",
]  # fmt: skip
ORDERS = [
    "",
    "name",
    "name,",
    ",",
    "name foo",
    "-name",
    "id",
    "tags.a",
    "name " * 50,
    "\u0000",
    "x" * 9999,
]
TOKENS = [
    "",
    "x",
    "e30=",
    "W10=",
    "bnVsbA==",
    "WyJhIl0=",
    "\u0000",
    "\ud800",
    "x" * 9000,
    "WzFlNDAwXQ==",
]
VALUES: list[Any] = [
    None, True, 0, -1, 2**31, 2**63 - 1, 1.5, 1e308, "", "\u00e4", "x" * 6000, "a/b", "..", [], {},
    [[]], [{}], {"a": {"b": {}}}, "99999999999999999999", "-1", "1_000", "\u0663",
]  # fmt: skip


@pytest.fixture
def ask(project: Project, register: Register) -> Any:
    register("a", tags={"a": "b"})
    key = api_key_for(MembershipFactory(project=project, role_name="admin"))
    client = Client(headers={"authorization": f"Bearer {key}"}, raise_request_exception=False)

    def ask(method: str, path: str, body: Any = None) -> int:
        content = {} if body is None else {"data": body, "content_type": "application/json"}
        answer = client.generic(method, path, **content)
        assert answer.status_code < 500, (method, path[:300], body, answer.content)
        return answer.status_code

    return ask


def quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/registry/models?filter=", "/api/v1/registry/versions?filter=",
        "/api/2.0/mlflow/registered-models/search?filter=",
        "/api/2.0/mlflow/model-versions/search?filter=",
    ],
)  # fmt: skip
def test_filters(ask: Any, path: str) -> None:
    for text in FILTERS:
        ask("GET", path + quoted(text))


def test_orders_tokens_and_sizes(ask: Any) -> None:
    for kind in ("registered-models", "model-versions"):
        route = f"/api/2.0/mlflow/{kind}/search"
        for order, token in product(ORDERS, TOKENS):
            ask("GET", f"{route}?order_by={quoted(order)}&page_token={quoted(token)}")
        for size in ("0", "-1", "1e3", "x", "99999999999999999999", "", "1000", "\u0663"):
            ask("GET", f"{route}?max_results={quoted(size)}")
    for kind, order, token in product(("models", "versions"), ORDERS, TOKENS):
        ask("GET", f"/api/v1/registry/{kind}?order_by={quoted(order)}&cursor={quoted(token)}")


MLFLOW = {
    ("POST", "registered-models/create"): ("name", "description", "tags"),
    ("PATCH", "registered-models/update"): ("name", "description"),
    ("POST", "registered-models/rename"): ("name", "new_name"),
    ("POST", "registered-models/set-tag"): ("name", "key", "value"),
    ("DELETE", "registered-models/delete-tag"): ("name", "key"),
    ("POST", "registered-models/alias"): ("name", "alias", "version"),
    ("DELETE", "registered-models/alias"): ("name", "alias"),
    ("POST", "registered-models/get-latest-versions"): ("name", "stages"),
    ("POST", "model-versions/create"): (
        "name", "source", "run_id", "run_link", "tags", "description", "model_id",
    ),
    ("PATCH", "model-versions/update"): ("name", "version", "description"),
    ("POST", "model-versions/set-tag"): ("name", "version", "key", "value"),
    ("POST", "model-versions/transition-stage"): (
        "name", "version", "stage", "archive_existing_versions",
    ),
    ("DELETE", "model-versions/delete"): ("name", "version"),
}  # fmt: skip
GOOD = {
    "name": "a",
    "version": "1",
    "alias": "x",
    "key": "k",
    "value": "v",
    "source": "s",
    "stage": "None",
}


@pytest.mark.parametrize("route", MLFLOW, ids=" ".join)
def test_bodies_of_mlflow(ask: Any, route: tuple[str, str]) -> None:
    method, path = route
    names = MLFLOW[route]
    good = {name: GOOD[name] for name in names if name in GOOD}
    for body in (b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff", b"[" * 90):
        ask(method, f"/api/2.0/mlflow/{path}", body)
    for name, value in product(names, VALUES):
        ask(method, f"/api/2.0/mlflow/{path}", json.dumps(good | {name: value}).encode())


def test_queries_of_mlflow(ask: Any) -> None:
    texts = [
        "",
        "a",
        "\u0000",
        "\ud800",
        "x" * 400,
        "%",
        "'",
        "99999999999999999999",
        "-1",
        "\u0663",
    ]
    for name, other in product(texts, texts):
        query = f"name={quoted(name)}&alias={quoted(other)}&version={quoted(other)}"
        for path in ("registered-models/get", "registered-models/alias", "model-versions/get",
                     "model-versions/get-download-uri",
                     "registered-models/get-latest-versions"):  # fmt: skip
            ask("GET", f"/api/2.0/mlflow/{path}?{query}")


def test_samples_and_series(ask: Any) -> None:
    good = {"model_id": "a-1", "metric": "x", "value": 1}
    moments = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01", "x", "",
               "2026-01-01T00:00:00", "2026-01-01T24:00:00Z",
               "0001-01-01T00:00:00Z", 5, None]  # fmt: skip
    for name, value in product(("model_id", "metric", "value", "ts"), [*VALUES, *moments]):
        ask("POST", "/api/v1/db/metrics", json.dumps({"samples": [good | {name: value}]}).encode())
    for value in VALUES:
        ask("POST", "/api/v1/db/metrics", json.dumps({"samples": value}).encode())
        ask("POST", "/api/v1/db/metrics", json.dumps(value).encode())
    for name in ("model", "metric", "agg", "step", "since", "until"):
        for text in (
            "",
            "\u0000",
            "\ud800",
            "x" * 999,
            "1m",
            "0m",
            "9999d",
            "p95",
            *map(str, moments),
        ):
            query = {"model": "a", "metric": "x"} | {name: text}
            asked = "&".join(f"{key}={quoted(value)}" for key, value in query.items())
            ask("GET", f"/api/v1/db/metrics?{asked}")


MONITORING = {
    "registry/thresholds": (
        "model", "alias", "version", "integration", "name", "metric", "aggregation", "window_s",
        "comparator", "warning", "critical", "warning_upper", "critical_upper", "recovery", "for_s",
        "keep_firing_for_s", "min_samples", "no_data_policy", "renotify_s", "is_active",
    ),
    "registry/metrics": ("key", "unit", "direction", "kind", "description"),
    "registry/silences": ("model", "threshold", "starts_at", "ends_at", "comment"),
    "registry/rules": (
        "name", "condition", "action", "parameters", "expires_after_days", "is_active",
    ),
    "registry/protected-aliases": ("name", "conditions", "gates"),
    "registry/routes": ("name", "strategy", "targets", "description"),
    "registry/models/a/versions/1/approvals": ("alias", "comment"),
    "registry/models": ("name", "model_type", "description", "tags"),
    "registry/models/a/versions": (
        "model_id", "version", "label", "provider", "provider_model", "tasks", "parameters",
        "limits",
        "prices", "fallbacks", "source", "digest", "input_schema", "output_schema", "tags",
        "status",
        "cache_ttl_s", "integration",
    ),
    "registry/models/a/versions/1/performance": ("metrics", "ts"),
}  # fmt: skip
KNOWN = {
    "name": "n", "model": "a", "metric": "latency_ms", "aggregation": "p95", "window_s": 300,
    "warning": 1, "critical": 2, "key": "k", "direction": "LOWER", "kind": "gauge",
    "model_type": "llm",
    "provider": "mlflow", "provider_model": "x", "metrics": {"x": 1}, "comment": "c",
    "ends_at": "2999-01-01T00:00:00Z", "condition": "name = 'a'", "action": "notify",
    "strategy": "weighted", "targets": [{"model": "a"}], "alias": "champion",
}  # fmt: skip


@pytest.mark.parametrize("path", MONITORING)
def test_bodies_of_the_api(ask: Any, path: str) -> None:
    names = MONITORING[path]
    good = {name: KNOWN[name] for name in names if name in KNOWN}
    assert ask("POST", f"/api/v1/{path}", json.dumps(good).encode()) != 404
    for name, value in product(names, VALUES):
        ask("POST", f"/api/v1/{path}", json.dumps(good | {name: value}).encode())


CHANGES = {
    ("PATCH", "registry/models/a"): ("model_type", "description", "tags"),
    ("PATCH", "registry/models/a/versions/1"): (
        "label", "description", "tags", "parameters", "limits", "prices", "fallbacks", "is_active",
        "cache_ttl_s", "body_logging", "tasks", "source", "input_schema", "digest", "integration",
    ),
    ("PUT", "registry/models/a/aliases/x"): ("version", "expected_version", "reason"),
    ("POST", "registry/models/a/aliases/x/rollback"): ("reason", "expected_version"),
}  # fmt: skip


@pytest.mark.parametrize("route", CHANGES, ids=" ".join)
def test_changes(ask: Any, route: tuple[str, str]) -> None:
    method, path = route
    ask("PUT", "/api/v1/registry/models/a/aliases/x", b'{"version": 1}')
    for raw in (b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff", b'{"version": 1e999}'):
        ask(method, f"/api/v1/{path}", raw)
    for name, value in product(CHANGES[route], VALUES):
        ask(method, f"/api/v1/{path}", json.dumps({name: value}).encode())


@pytest.mark.parametrize("action", ["switch_provider", "move_alias", "enable_fallback"])
def test_recommendations_of_odd_rules(ask: Any, action: str) -> None:
    good = {"provider": "local", "provider_model": "x", "alias": "x", "fallback": "b"}
    for name, value in product((*good, "version", "integration", "prices"), VALUES):
        body = {"name": "r", "action": action, "condition": "name = 'a'"}
        body |= {"parameters": good | {name: value}}
        OptimizationRule.objects.all().delete()
        ask("POST", "/api/v1/registry/rules", json.dumps(body).encode())
        ask("POST", "/api/v1/registry/models/a/versions/1/optimize")
        for row in Recommendation.objects.filter(state="OPEN"):
            ask("POST", f"/api/v1/registry/recommendations/{row.pk}/apply")
