"""Calls and announcements."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from authz.models import Project
from registry.models import InferenceRecord, ModelVersion
from registry.monitoring import announcements
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for

Call = Callable[..., InferenceRecord]


@pytest.fixture
def call() -> Call:
    """Log a call of a version; says only what differs from one that went well just now."""

    def make(version: ModelVersion, **fields: Any) -> InferenceRecord:
        values = {
            "created_at": timezone.now(),
            "project_id": version.project_id,
            "user_id": uuid4(),
            "user_label": "ada",
            "credential": "api_key:x",
            "request_id": uuid4().hex,
            "task": "chat",
            "version_id": version.pk,
            "model": version.model.name,
            "version": version.number,
            "provider": version.provider,
            "status": 200,
            "latency_ms": 100.0,
            "input_tokens": 1000,
            "output_tokens": 100,
            "cost_usd": Decimal("0.001"),
        }
        return InferenceRecord.objects.create(**values | fields)

    return make


@pytest.fixture
def api(project: Project) -> ApiClient:
    return ApiClient(api_key_for(MembershipFactory(project=project)))


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What was told, in order."""
    heard: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(announcements, "_announcers", [])
    announcements.register_announcer(lambda _, event_type, data: heard.append((event_type, data)))
    return heard


def settle(now: datetime | None = None) -> None:
    """Sum up twice, far enough apart that all that is there is taken."""
    from registry.monitoring.rollup import roll_up

    now = now or timezone.now()
    roll_up(now)
    roll_up(now + timedelta(seconds=20))
