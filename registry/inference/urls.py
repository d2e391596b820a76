"""Routes of the AI endpoints, below /api/v1/ai."""

from django.urls import path

from registry.inference.usage_view import usage
from registry.inference.views import VIEWS

urlpatterns = [*(path(task, view) for task, view in VIEWS.items()), path("usage", usage)]
