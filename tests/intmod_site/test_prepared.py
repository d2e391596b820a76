"""Statements that are put together once give what the ORM gives."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from intmod_site.prepared import Prepared, columns_of, insert, instance_of
from registry.models import RegisteredModel
from tests.factories.authz import ProjectFactory

pytestmark = pytest.mark.django_db

BY_NAME = Prepared(
    lambda project, name: RegisteredModel.objects.filter(project=project, name=name).values_list(
        *columns_of(RegisteredModel)
    )
)


def test_a_row_comes_back_as_it_was_inserted() -> None:
    model = RegisteredModel(
        project=ProjectFactory(), name="a", model_type="llm", tags={"a": 'ä "b"', "c": ""}
    )
    insert(model)
    stored = RegisteredModel.objects.get()
    for name in columns_of(RegisteredModel):
        assert getattr(stored, name) == getattr(model, name)
    for _ in range(2):
        row = BY_NAME.first(project=model.project_id, name="a")
        assert row is not None
        found = instance_of(RegisteredModel, row)
        assert found == stored
        assert found.tags == model.tags
        assert found.created_at == stored.created_at
        found.description = "saved as any other"
        found.save()
    assert RegisteredModel.objects.get().description == "saved as any other"


def test_values_are_given_to_the_database_as_values() -> None:
    project = ProjectFactory()
    insert(RegisteredModel(project=project, name="a", model_type="llm"))
    for name in ("b", "a' OR '1'='1", "%s", "a%", "", "x" * 5000):
        assert BY_NAME.first(project=project.pk, name=name) is None
    assert BY_NAME.first(project=uuid4(), name="a") is None
    with CaptureQueriesContext(connection) as statements:
        assert BY_NAME.first(project=project.pk, name="a") is not None
    assert len(statements) == 1


def test_a_parameter_that_is_not_compared_with_is_a_mistake() -> None:
    prepared = Prepared(lambda name: RegisteredModel.objects.values_list("pk").exclude(pk=None))
    with pytest.raises(TypeError, match="name"):
        prepared.rows(name="a")
