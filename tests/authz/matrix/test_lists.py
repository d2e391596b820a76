"""Lists, their filters and their cursors: nothing of another project, however it is asked for."""

import json
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from authz.models import User
from tests.admin.world import PASSWORD
from tests.api_client import ApiClient
from tests.authz.matrix import places
from tests.authz.matrix.callers import api_client, page_client
from tests.authz.matrix.places import Places

NAMES = ("smol", "erp", "crm", "champion", "shop-only", "spread", "protected", "pii", "ada", "bob")
QUERIES = {
    "api/v1/registry/models": [("filter", "name = 'smol'"), ("order_by", "name")],
    "api/v1/registry/versions": [
        ("filter", "name = 'smol'"), ("filter", "metrics.accuracy < 1"), ("order_by", "name"),
    ],
    "api/v1/ai/usage": [("group_by", "model"), ("model", "smol")],
}  # fmt: skip
"""Parameters of lists that no filterset describes."""


@pytest.fixture
def there(db: None) -> Places:
    return places.build()


def lists(resolver: URLResolver, prefix: str = "") -> dict[str, list[str]]:
    """Give the routes of lists that name nothing, and their filters."""
    found: dict[str, list[str]] = {}
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= lists(pattern, route)
        elif isinstance(pattern, URLPattern) and "<" not in route:
            actions = getattr(pattern.callback, "actions", None) or {}
            filters = getattr(getattr(pattern.callback, "cls", None), "filterset_class", None)
            if actions.get("get") == "list":
                found[route] = list(filters.base_filters) if filters else []
    return found


LISTS = lists(get_resolver())


def told(client: Client, path: str, query: dict[str, str], theirs: dict[str, str]) -> list[str]:
    """Give what of the other project is in an answer, if it is one."""
    assert isinstance(client, ApiClient)
    answer = client.call("GET", f"/{path}?{urlencode(query)}")
    assert answer.status_code < 500, (path, query)
    if answer.status_code >= 400:
        return []
    text = answer.content.decode()
    asked = set(query.values())
    return [
        f"{path} {query}: {what}"
        for row, what in theirs.items()
        if row in text and row not in asked
    ]


@pytest.mark.timeout(600)
def test_filters_find_nothing_elsewhere(there: Places) -> None:
    client, theirs = api_client("other", there), there.ids()
    values = [*NAMES, *theirs]
    found: list[str] = []
    for path, filters in LISTS.items():
        for name in filters:
            for value in values:
                found += told(client, path, {name: value}, theirs)
    for path, queries in QUERIES.items():
        for name, value in queries:
            found += told(client, path, {name: value}, theirs)
    assert found == []
    assert sum(len(filters) for filters in LISTS.values()) > 10


def test_a_cursor_leads_nowhere_in_another_project(there: Places) -> None:
    admins, others = api_client("admin", there), api_client("other", there)
    assert isinstance(admins, ApiClient)
    theirs, tried = there.ids(), 0
    for path in LISTS:
        page = json.loads(admins.call("GET", f"/{path}?page_size=1").content)["data"]
        if cursor := page.get("next"):
            assert told(others, path, {"cursor": cursor}, theirs) == [], path
            tried += 1
    assert tried > 2


def test_references_in_the_admin_are_searched_by_who_may_see_them(there: Places) -> None:
    user = User.objects.create_user("clerk", PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="operator"))
    clerk, anybody = Client(), page_client("other", there)
    clerk.force_login(user)
    tried: set[bool] = set()
    for model, site in admin.site._registry.items():
        for name in site.autocomplete_fields:
            target = model._meta.get_field(name).related_model
            query = {
                "term": "", "app_label": model._meta.app_label,
                "model_name": model._meta.model_name, "field_name": name,
            }  # fmt: skip
            may = user.has_perm(f"{target._meta.app_label}.view_{target._meta.model_name}")  # type: ignore[union-attr]
            answer = clerk.get("/admin/autocomplete/", query)
            assert answer.status_code == (200 if may else 403), query
            assert anybody.get("/admin/autocomplete/", query).status_code == 302
            tried.add(may)
    assert tried == {True, False}
