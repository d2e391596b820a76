"""Plain Django views with the API's conventions, for routes where DRF's own cost would show."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from authz.api.authentication import authenticate
from authz.api.denials import record_if_denied
from authz.api.permissions import check
from authz.idempotency.replay import answer_once
from authz.identity.principal import Principal
from intmod_site.api.errors import MethodNotAllowed
from intmod_site.api.filters import check_query
from intmod_site.api.handler import refuse_exception
from intmod_site.api.parser import receive_body
from intmod_site.places import places
from intmod_site.plain_routes import plain
from intmod_site.turns import turns

PlainView = Callable[..., HttpResponseBase]
Refuse = Callable[[Exception, HttpRequest], HttpResponse]


def plain_post(
    *,
    permission: str,
    refuse: Refuse = refuse_exception,
    query: tuple[str, ...] = (),
    waits: bool = True,
) -> Callable[[PlainView], PlainView]:
    """Serve POST to callers with the permission; every refusal is in the envelope.

    A request that may wait long for somebody outside takes a place, of which there are only some
    (`places`).
    An Idempotency-Key makes the view answer once (`authz.idempotency`).

    Args:
        permission: What callers need.
        refuse: Shows refusals in another shape, for surfaces that have one of their own.
        query: Names of the query's parameters.
        waits: Whether it may wait for somebody outside.
    """

    def decorate(view: PlainView) -> PlainView:
        def once(request: HttpRequest, principal: Principal, **parameters: Any) -> HttpResponseBase:
            return answer_once(request, principal, lambda: view(request, principal, **parameters))

        return _guarded(
            once, view, methods=("POST",), permission=permission, refuse=refuse, query=query,
            waits=waits,
        )  # fmt: skip

    return decorate


def plain_get(
    *, permission: str, refuse: Refuse = refuse_exception, query: tuple[str, ...] = ()
) -> Callable[[PlainView], PlainView]:
    """Serve GET likewise.

    Args:
        permission, refuse, query: As `plain_post`.
    """

    def decorate(view: PlainView) -> PlainView:
        return _guarded(
            view, view, methods=("GET", "HEAD"), permission=permission, refuse=refuse, query=query
        )

    return decorate


def _guarded(
    serve: PlainView,
    view: PlainView,
    *,
    methods: tuple[str, ...],
    permission: str,
    refuse: Refuse,
    query: tuple[str, ...] = (),
    waits: bool = True,
) -> PlainView:
    def answered(
        request: HttpRequest, held: ExitStack, parameters: dict[str, Any]
    ) -> HttpResponseBase:
        if waits and request.method == "POST":
            held.enter_context(places.taken())
        with turns.taken():
            principal = authenticate(request)
            if request.method not in methods:
                return _wrong_method(request, methods, refuse)
            check(principal, permission)
            if request.META.get("QUERY_STRING"):
                check_query(request.GET, query)
            if request.method in ("GET", "HEAD"):
                return serve(request, principal, **parameters)
        # Without a turn: a body may take its time.
        receive_body(request)
        with turns.taken():
            response = serve(request, principal, **parameters)
        if response.streaming:
            # Its thread is taken until the last piece is out.
            response._resource_closers.append(held.pop_all().close)  # type: ignore[attr-defined]
        return response

    @plain
    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, **parameters: Any) -> HttpResponseBase:
        try:
            with ExitStack() as held:
                return answered(request, held, parameters)
        except Exception as raised:  # noqa: BLE001 -- whatever it is, it is answered in its shape
            record_if_denied(raised, request)
            return refuse(raised, request)

    return guarded


def _wrong_method(request: HttpRequest, methods: tuple[str, ...], refuse: Refuse) -> HttpResponse:
    response = refuse(MethodNotAllowed(f'Method "{request.method}" not allowed.'), request)
    response.headers["Allow"] = ", ".join(methods)
    return response
