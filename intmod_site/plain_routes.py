"""The short way to plain views: a route without parameters is found by one look-up.

What stands between the security headers and a view, that is for pages and DRF, is passed over:
sessions, CSRF, static files and the resolver, which tries one pattern after another.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
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

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        match = plain_matches(settings.ROOT_URLCONF).get(request.path_info)
        if match is None:
            return self.get_response(request)
        request.resolver_match = match
        return match.func(request)


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
