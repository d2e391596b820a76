"""What happens around every request, and what happens around pages only.

The API carries no session and no cookie. Pages (the admin) do; their middleware steps aside for
everything else, which keeps the call path short.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware

from intmod_site import metrics
from intmod_site.api.errors import MalformedRequest
from intmod_site.api.handler import refuse_exception
from intmod_site.api.shapes import shape_of
from intmod_site.request_context import RequestContext, choose_request_id, enter_request

log = logging.getLogger("intmod.request")

API_PREFIX = "/api/"
PAGE_PREFIXES = ("/admin/", "/api/docs")


class RequestContextMiddleware:
    """Gives each request its id, one log line and its place in the metrics."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and tell what was answered."""
        context = RequestContext(
            choose_request_id(request.META.get("HTTP_X_REQUEST_ID")),
            request.META.get("HTTP_TRACEPARENT"),
            request.META.get("HTTP_CACHE_CONTROL"),
        )
        enter_request(context)
        try:
            response = self._answer(request)
            response.headers["X-Request-Id"] = context.request_id
            for name, value in context.answer_headers.items():
                response.headers[name] = value
            self._tell(request, response, time.perf_counter() - context.began_s)
        finally:
            enter_request(None)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        # No name has a NUL, and PostgreSQL fails on a query with one.
        if "\x00" in request.path_info:
            refuse = shape_of(request.path_info) or refuse_exception
            return refuse(MalformedRequest("The path has a NUL character."), request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, raised: Exception) -> HttpResponse | None:
        """Answer the API's own faults in its shape, even with DEBUG on."""
        refuse = shape_of(request.path_info)
        return refuse(raised, request) if refuse else None

    @staticmethod
    def _tell(request: HttpRequest, response: HttpResponseBase, duration_s: float) -> None:
        match = request.resolver_match
        route = f"/{match.route}" if match else "unresolved"
        metrics.observe_request(request.method or "", route, response.status_code, duration_s)
        if not log.isEnabledFor(logging.INFO):
            return
        principal = getattr(request, "principal", None)
        error = getattr(request, "api_error", None)
        log.info(
            "request",
            extra={
                "fields": {
                    "method": request.method,
                    "route": route,
                    "status": response.status_code,
                    "duration_ms": round(duration_s * 1000, 2),
                    "principal": principal.label if principal else None,
                    "project": principal.project_slug if principal else None,
                    "error_code": error.error_code if error else None,
                }
            },
        )


class PagesOnly:
    """Mixin that lets a middleware of Django's see requests for pages only."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        """Step aside for everything that is no page."""
        if request.path_info.startswith(PAGE_PREFIXES):
            return super().__call__(request)  # type: ignore[misc]
        return self.get_response(request)


class PageSessionMiddleware(PagesOnly, SessionMiddleware):
    """Sessions, for pages."""


class PageCommonMiddleware(PagesOnly, CommonMiddleware):
    """Slashes and Content-Length, for pages."""


class PageAuthenticationMiddleware(PagesOnly, AuthenticationMiddleware):
    """The staff member behind a page."""


class PageMessageMiddleware(PagesOnly, MessageMiddleware):
    """Notices on pages."""


class PageCSPMiddleware(PagesOnly, CSPMiddleware):
    """The content security policy of pages."""
