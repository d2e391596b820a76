"""One query before the provider is asked, and no call waits with a database connection in hand."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authz.identity.keys import create_api_key
from authz.identity.principal import Principal
from authz.models import User
from registry.inference.calls import Call, Result
from tests.factories.authz import ACTOR
from tests.registry.conftest import Register
from tests.registry.inference.scripted_provider import ScriptedProvider, hello


@pytest.fixture
def api_key(principal: Principal, user: User) -> str:
    _key, text = create_api_key(actor=ACTOR, user=user, project=principal.project, name="test")
    return text


def post(api_key: str, body: dict[str, Any]) -> int:
    response = Client().post(
        "/api/v1/ai/generate",
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {api_key}"},
    )
    return response.status_code


def test_a_warm_call_asks_the_database_once_before_the_provider(
    api_key: str, register: Register, provider: ScriptedProvider
) -> None:
    register()
    body = {"model": "smol", "prompt": "Hi"}
    assert post(api_key, body) == 200
    before: list[str] = []

    def count(call: Call) -> Result:
        before.extend(query["sql"] for query in queries.captured_queries)
        return hello(call)

    provider.answer = count
    with CaptureQueriesContext(connection) as queries:
        assert post(api_key, body) == 200
    assert len(before) == 1, before
    assert "authz_configurationrevision" in before[0]


def test_a_changed_configuration_counts_on_the_next_call(
    api_key: str, register: Register, provider: ScriptedProvider
) -> None:
    from registry.catalog.versions import deactivate_version

    version = register()
    body = {"model": "smol", "prompt": "Hi"}
    assert post(api_key, body) == 200
    deactivate_version(actor=ACTOR, version=version)
    assert post(api_key, body) == 409
