"""A row that is changed is read anew under a lock, or said to be gone."""

import pytest
from django.db import transaction

from authz.audit.actor import Actor
from intmod_site.api.errors import NotFound
from intmod_site.locked_rows import locked
from registry.models import MetricDefinition
from registry.monitoring.definitions import define_metric, delete_definition, update_definition
from tests.factories.authz import ProjectFactory

ACTOR = Actor(kind="system", label="tests")
pytestmark = pytest.mark.django_db


def metric() -> MetricDefinition:
    return define_metric(actor=ACTOR, project=ProjectFactory(), key="k", direction="HIGHER")


def test_it_is_as_others_left_it() -> None:
    old = metric()
    MetricDefinition.objects.update(unit="ms")
    with transaction.atomic():
        assert locked(old, missing=NotFound("gone")).unit == "ms"


def test_what_is_gone_is_said_to_be() -> None:
    old = metric()
    delete_definition(actor=ACTOR, definition=old)
    with pytest.raises(NotFound, match="no metric called k"):
        update_definition(actor=ACTOR, definition=old, changes={"unit": "ms"})
