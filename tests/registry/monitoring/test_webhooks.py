"""Alerts and recommendations as webhook messages, in the transaction of what they tell of."""

import json

from django.db import transaction

from authz.audit.actor import Actor
from authz.models import Project
from integrations.models import EventType, WebhookDelivery, WebhookMessage
from integrations.webhooks.built_in import write_built_in
from integrations.webhooks.endpoints import register_endpoint
from registry.monitoring import announcements
from registry.monitoring.alerting.evaluation import evaluate
from registry.monitoring.alerting.thresholds import set_threshold
from tests.registry.conftest import Register
from tests.registry.monitoring.conftest import Call


def test_an_alert_is_told_with_its_change(
    register: Register, call: Call, actor: Actor, project: Project
) -> None:
    register_endpoint(
        actor=actor, project=project, url="https://a.example", event_types=["model.alert.*"]
    )
    version = register("a")
    threshold = set_threshold(
        actor=actor, project=project, metric="latency_ms", version=version, critical=800,
        window_s=120, for_s=0,
    )  # fmt: skip
    call(version, latency_ms=900)
    with transaction.atomic():
        evaluate(threshold)
        assert WebhookMessage.objects.count() == 1
        transaction.set_rollback(True)
    assert not WebhookMessage.objects.exists()
    evaluate(threshold)
    message = WebhookMessage.objects.get()
    assert message.event_type == "model.alert.firing"
    data = json.loads(message.body)["data"]
    assert (data["metric"], data["value"]) == ("latency_ms", 900)
    assert WebhookDelivery.objects.get().message == message


def test_what_is_told_is_what_the_catalogue_says(db: None) -> None:
    """The publisher refuses anything else, so every alert above passed its schema."""
    write_built_in()
    rows = EventType.objects.filter(project=None, name__startswith="model.")
    assert {row.name for row in rows} == set(announcements.EVENT_TYPES)
    assert all(row.schema for row in rows)
