"""Routes of the surfaces, below /v1."""

from django.urls import path, re_path

from registry.inference.surfaces import views
from registry.inference.surfaces.anthropic.views import messages
from registry.inference.surfaces.openai.views import chat_completions, embeddings

urlpatterns = [
    path("chat/completions", chat_completions),
    path("messages", messages),
    path("embeddings", embeddings),
    path("models", views.models),
    path("models/<path:model_id>", views.model),
    # [\s\S]: a dot would let paths with an encoded line break through to Django's HTML 404.
    re_path(r"^[\s\S]*$", views.unknown_route),
]
