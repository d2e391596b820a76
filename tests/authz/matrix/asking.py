"""Sending every request as one role; nothing that a request does outlives it."""

import copy
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from authz.configuration import snapshot
from tests.api_client import ApiClient
from tests.authz.matrix.bodies import Sent, deleting, sent
from tests.authz.matrix.callers import api_client, page_client
from tests.authz.matrix.places import Places
from tests.authz.matrix.routes import is_page, methods_of, routes

Asked = tuple[str, str]
"""Route and method."""


def ask_everything(
    role: str, places: Places, *, pages: bool
) -> Iterator[tuple[Asked, str, HttpResponse]]:
    """Send every request as a role.

    Args:
        role: One of `callers.ROLES`.
        places: What is there.
        pages: The admin's pages, or else everything but them.

    Yields:
        Route and method, the path, the answer.
    """
    client = page_client(role, places) if pages else api_client(role, places)
    bodies = sent(places)
    for route in routes():
        if is_page(route) is not pages:
            continue
        path = places.path(route)
        for method in methods_of(route):
            what = bodies.get(f"{method} {route}") or deleting(route)
            yield (route, method), path, ask(client, method, path, what)


def ask(client: Client, method: str, path: str, what: Sent) -> HttpResponse:
    """Send one request, and undo what it did."""
    cookies = copy.copy(client.cookies)
    with transaction.atomic():
        response: Any
        if isinstance(client, ApiClient):
            body = None if method in {"GET", "DELETE"} and what.body is None else what.body or {}
            response = client.call(method, path + what.query, body)
        else:
            response = client.generic(
                method, path + what.query, what.form, "application/x-www-form-urlencoded"
            )
        if response.streaming:
            list(response)
        transaction.set_rollback(True)
    client.cookies = cookies
    snapshot.forget()
    return response  # type: ignore[no-any-return]
