"""The short way to plain views: a route without parameters is found by one look-up.

What is for pages and DRF is passed over: sessions, CSRF, static files and the resolver, which tries
one pattern after another. The security headers are the same as on every answer.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, URLResolver, get_resolver

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def plain(view: View) -> View:
    """Mark a view that needs no middleware behind this one, and answers its own exceptions."""
    view.is_plain = True  # type: ignore[attr-defined]
    return view


class PlainRouteMiddleware:
    """Asks plain views directly; everything else takes the long way."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._matches = plain_matches(settings.ROOT_URLCONF)
        self._security = SecurityMiddleware(get_response)
        self._headers = {scheme: security_headers(scheme) for scheme in ("http", "https")}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        match = self._matches.get(request.path_info)
        if match is None:
            return self.get_response(request)
        security = self._security
        if security.redirect and (to_https := security.process_request(request)):
            return to_https
        request.resolver_match = match
        response = match.func(request)
        # Django would check and encode each of them anew for each answer.
        headers = response.headers._store
        for name, header in self._headers[request.scheme or "http"].items():
            headers.setdefault(name, header)
        return response


def security_headers(scheme: str) -> dict[str, tuple[str, str]]:
    """Give what Django's own middleware adds to an answer, as `ResponseHeaders` keeps it."""
    request, answer = HttpRequest(), HttpResponse()
    request._get_scheme = lambda: scheme  # type: ignore[attr-defined]
    before = set(answer.headers._store)
    for middleware in (SecurityMiddleware(_never), XFrameOptionsMiddleware(_never)):
        answer = middleware.process_response(request, answer)
    return {name: header for name, header in answer.headers._store.items() if name not in before}


def _never(_: HttpRequest) -> HttpResponse:
    raise AssertionError("Nobody is asked: only what is added to an answer matters.")


@cache
def plain_matches(urlconf: str) -> dict[str, ResolverMatch]:
    """Give the plain routes without parameters, by path."""
    resolver = get_resolver(urlconf)
    found = {}
    for path in _paths(resolver, "/"):
        match = resolver.resolve(path)
        # Whichever pattern comes first is asked, on the short way too.
        if getattr(match.func, "is_plain", False):
            found[path] = match
    return found


def _paths(resolver: URLResolver, before: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _paths(pattern, path)
        elif getattr(pattern.callback, "is_plain", False) and "<" not in path:
            yield path
