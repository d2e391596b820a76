"""Every route that the product serves, as its URL map says."""

from collections.abc import Iterator

from django.urls import URLResolver, get_resolver

API_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PAGE_METHODS = ("GET", "POST")
"""Pages are read and sent; Django's admin takes any other method for a GET."""

READ_ONLY = ("/history/", "<path:object_id>/")
"""Pages that take a POST for a GET too."""


def routes() -> list[str]:
    """Give the patterns of all routes, each once, in the order in which people look for them."""
    return sorted(set(_walk(get_resolver(), "")))


def is_page(route: str) -> bool:
    """Whether it belongs to the admin, whose callers log in by a cookie."""
    return route.startswith("admin/")


def methods_of(route: str) -> tuple[str, ...]:
    """Give the methods to try."""
    if not is_page(route):
        return API_METHODS
    return PAGE_METHODS[:1] if route.endswith(READ_ONLY) else PAGE_METHODS


def _walk(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, route)
        else:
            yield route
