"""Whose client asks, where the route alone does not say: both vendors' lie below /v1."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from intmod_site.request_context import current_request_id, set_answer_header
from registry.inference.surfaces.anthropic import errors as anthropic
from registry.inference.surfaces.openai import errors as openai

View = Callable[..., HttpResponseBase]


def speaks_anthropic(request: HttpRequest) -> bool:
    """Say whether it is Anthropic's client: its header tells, or a route that only it has."""
    path = request.path_info
    return "HTTP_ANTHROPIC_VERSION" in request.META or f"{path}/".startswith("/v1/messages/")


def refuse(raised: Exception, request: HttpRequest) -> HttpResponse:
    """Refuse in the shape of whoever asks."""
    surface = anthropic if speaks_anthropic(request) else openai
    return surface.refuse(raised, request)


def with_request_id(view: View) -> View:
    """Name the request as Anthropic's clients look for it, on every answer, replayed ones too."""

    @wraps(view)
    def named(request: HttpRequest, **parameters: Any) -> HttpResponseBase:
        if speaks_anthropic(request):
            set_answer_header("request-id", current_request_id() or "")
        return view(request, **parameters)

    return named
