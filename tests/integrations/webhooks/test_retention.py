"""Old messages go with all that belongs to them; what is not over stays."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authz.limits.rates import Rate, take
from authz.models import Project, RateBucket
from integrations.models import DeliveryAttempt, WebhookDelivery, WebhookMessage
from integrations.webhooks import dispatcher, retention
from integrations.webhooks.retention import prune_messages
from integrations.webhooks.services import publish
from tests.integrations.webhooks.conftest import Register, Serve
from tests.integrations.webhooks.delivering import OK, attempt_due
from tests.integrations.webhooks.test_dispatching import dispatching, until


def test_what_is_old_and_over_goes(
    serve: Serve, register: Register, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    register(serve(OK), event_types=["a.*"])
    for _ in range(5):
        publish("a.b", {}, project=project)
    attempt_due()
    waiting = publish("a.b", {}, project=project).message
    publish("nobody.asks", {}, project=project)
    later = timezone.now() + timedelta(days=91)
    assert prune_messages(later - timedelta(days=2)) == 0
    fresh = publish("a.b", {}, project=project).message
    WebhookMessage.objects.filter(pk=fresh.pk).update(created_at=later)
    assert prune_messages(later) == 6
    assert set(WebhookMessage.objects.all()) == {waiting, fresh}
    assert WebhookDelivery.objects.count() == 2
    assert not DeliveryAttempt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_does_it_by_itself(
    project: Project, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.WEBHOOK_KEPT_DAYS = 0
    monkeypatch.setattr(dispatcher, "PRUNING_S", 0.0)
    publish("a.b", {}, project=project)
    with dispatching(threads=1):
        until(lambda: not WebhookMessage.objects.exists())


@pytest.mark.django_db(transaction=True)
def test_a_worker_forgets_limits_that_are_used_up_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "PRUNING_S", 0.0)
    take(key="login:long-ago", rate=Rate(1), clock=lambda: 1_000_000.0)
    take(key="login:now", rate=Rate(1, period_s=3600.0))
    with dispatching(threads=1):
        until(lambda: not RateBucket.objects.filter(key="login:long-ago").exists())
    assert RateBucket.objects.get().key == "login:now"
