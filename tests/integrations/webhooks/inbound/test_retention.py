"""Old events go; those that wait to be handed on stay."""

from datetime import timedelta

import pytest
from django.utils import timezone

from authz.models import Project
from integrations.models import ReceivedEvent
from integrations.webhooks.inbound import retention
from tests.admin.heard import hear, hear_more

State = ReceivedEvent.State


def test_what_is_old_and_over_goes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    source, _ = hear(project)
    for number in range(4):
        hear_more(source, number)
    waiting = hear_more(source, 5)
    ReceivedEvent.objects.filter(pk=waiting.pk).update(state=State.WAITING)
    old = timezone.now() - timedelta(days=91)
    ReceivedEvent.objects.update(received_at=old)
    fresh = hear_more(source, 6)
    assert retention.prune_events() == 5
    assert set(ReceivedEvent.objects.all()) == {waiting, fresh}
