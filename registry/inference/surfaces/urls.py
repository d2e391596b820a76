"""Routes of the surfaces: /v1 and everything below."""

from django.urls import path, re_path

from registry.inference.surfaces import views
from registry.inference.surfaces.anthropic.views import messages
from registry.inference.surfaces.openai.views import chat_completions, embeddings

urlpatterns = [
    path("v1/chat/completions", chat_completions),
    path("v1/messages", messages),
    path("v1/embeddings", embeddings),
    path("v1/models", views.models),
    path("v1/models/<path:model_id>", views.model),
    # [\s\S]: a dot would let paths with an encoded line break through to Django's HTML 404.
    re_path(r"^v1(?:/[\s\S]*)?$", views.unknown_route),
]
