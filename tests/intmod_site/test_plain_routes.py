"""The short way to plain views, and what it must not pass over."""

import pytest
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.test import Client, RequestFactory, override_settings
from django.urls import resolve

from authz.api.plain import plain_post
from intmod_site.plain_routes import PlainRouteMiddleware, plain_matches

CHAT = "/api/v1/ai/chat"
SECURITY_HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def test_the_ai_endpoints_take_the_short_way() -> None:
    tasks = ("generate", "chat", "code", "analyze", "embed", "classify")
    matches = plain_matches(settings.ROOT_URLCONF)
    for task in tasks:
        path = f"/api/v1/ai/{task}"
        assert matches[path].func is resolve(path).func
        assert matches[path].route == resolve(path).route


@pytest.mark.parametrize("path", ["/api/v1/auth/me", "/healthz", "/admin/", "/api/v1/ai/chat/"])
def test_others_do_not(path: str) -> None:
    assert path not in plain_matches(settings.ROOT_URLCONF)


def test_who_is_not_plain_is_left_to_the_next(rf: RequestFactory) -> None:
    asked = []
    middleware = PlainRouteMiddleware(lambda request: asked.append(request.path) or "answer")  # type: ignore[arg-type, func-returns-value, return-value]
    assert middleware(rf.post("/api/v1/auth/token")) == "answer"
    assert asked == ["/api/v1/auth/token"]


@pytest.mark.django_db
def test_the_headers_are_those_of_every_answer(client: Client) -> None:
    short, long = client.post(CHAT), client.get("/api/v1/auth/me")
    assert short.status_code == long.status_code == 401
    for name, value in SECURITY_HEADERS.items():
        assert short.headers[name] == long.headers[name] == value
    assert short.headers["X-Request-Id"]


@pytest.mark.django_db
@override_settings(SECURE_SSL_REDIRECT=True, SECURE_HSTS_SECONDS=60)
def test_plain_http_is_sent_to_https_in_production(rf: RequestFactory) -> None:
    site = BaseHandler()
    site.load_middleware()
    assert site.get_response(rf.post(CHAT)).headers["Location"] == f"https://testserver{CHAT}"
    secure = site.get_response(rf.post(CHAT, secure=True))
    assert secure.status_code == 401
    assert secure.headers["Strict-Transport-Security"].startswith("max-age=60")


@pytest.mark.django_db
def test_middleware_of_extensions_is_around_plain_views_too(client: Client) -> None:
    assert client.post(CHAT).headers["X-Stamped"] == "yes"


def test_plain_views_are_marked_by_their_decorator() -> None:
    view = plain_post(permission="registry.invoke_modelversion")(lambda request, principal: None)  # type: ignore[arg-type, return-value]
    assert view.is_plain  # type: ignore[attr-defined]
