"""Django's WSGI handler, shorter for what is asked most."""

from collections.abc import Callable
from http.client import responses
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import close_old_connections
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from intmod_site.plain_routes import plain_matches


class ShortHandler(WSGIHandler):
    """Serves plain views without Django's signals, and whole answers in one piece.

    Of what listens to the signals only the database's connections matter to a plain view: they are
    looked after here. Piece by piece is for streams: each piece costs the server a turn between
    its threads and ours, and an answer whose length is not known goes out chunked.
    """

    def __init__(self) -> None:
        super().__init__()
        self._plain_paths = frozenset(plain_matches(settings.ROOT_URLCONF))

    def __call__(  # type: ignore[override]
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> HttpResponseBase | list[bytes]:
        """Answer (PEP 3333)."""
        if environ["PATH_INFO"] in self._plain_paths and not environ.get("SCRIPT_NAME"):
            response = self._serve_plain(environ, start_response)
            if not isinstance(response, HttpResponse):
                return response
            for close in response._resource_closers:  # type: ignore[attr-defined]
                close()
            response.closed = True
            close_old_connections()
            return [response.content]
        response = super().__call__(environ, start_response)
        if not isinstance(response, HttpResponse):
            return response
        try:
            return [response.content]
        finally:
            response.close()

    def _serve_plain(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> HttpResponseBase:
        request = WSGIRequest(environ)
        response: HttpResponseBase = self._middleware_chain(request)  # type: ignore[attr-defined]
        response._handler_class = self.__class__  # type: ignore[attr-defined]
        response._resource_closers.append(request.close)  # type: ignore[attr-defined]
        # As they are kept: the mapping's own iteration makes each pair anew.
        headers = [*response.headers._store.values()]
        headers += [("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values()]
        status = response.status_code
        start_response(f"{status} {responses.get(status, response.reason_phrase)}", headers)
        return response
