"""Actions on lists in the admin stand behind a permission, each."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import RequestFactory

from authz.models import User

MODELS = list(admin.site._registry)
LOOKS = {"check_now", "compare_two"}
"""Actions that only show something."""


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_who_only_looks_is_offered_nothing_that_changes(model: type[Model], db: None) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.groups.add(Group.objects.get(name="viewer"))
    request = RequestFactory().get("/")
    site = admin.site._registry[model]
    request.user = viewer
    assert set(site.get_actions(request)) <= LOOKS
    request.user = User.objects.create_superuser("root")
    for name, (action, _, _) in site.get_actions(request).items():
        assert getattr(action, "allowed_permissions", ()), f"{name} is for everybody"
