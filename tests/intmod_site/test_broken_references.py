"""What refers to something that somebody removed meanwhile is a conflict, not a fault."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from intmod_site.api.handler import as_api_error
from registry.models import RegisteredModel, VersionTag
from tests.factories.authz import ProjectFactory


@pytest.mark.django_db(transaction=True)
def test_a_reference_to_nothing_is_a_conflict() -> None:
    project = ProjectFactory()
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        VersionTag.objects.create(project=project, owner_id=uuid4(), key="a")
    error = as_api_error(raised.value)
    assert (error.status, error.error_code) == (409, "removed_meanwhile")


@pytest.mark.django_db(transaction=True)
def test_another_broken_constraint_is_our_fault() -> None:
    project = ProjectFactory()
    fields = {"project": project, "name": "a", "model_type": "llm"}
    RegisteredModel.objects.create(**fields)
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        RegisteredModel.objects.create(**fields)
    assert as_api_error(raised.value).status == 500
