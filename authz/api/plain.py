"""Plain Django views with the API's conventions, for routes where DRF's own cost would show."""

from collections.abc import Callable
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

PlainView = Callable[[HttpRequest, Principal], HttpResponseBase]


def plain_post(*, permission: str) -> Callable[[PlainView], Callable[..., HttpResponseBase]]:
    """Serve POST to callers with the permission; every refusal is in the envelope.

    An Idempotency-Key makes the view answer once (`authz.idempotency`).
    """

    def decorate(view: PlainView) -> Callable[..., HttpResponseBase]:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, **parameters: Any) -> HttpResponseBase:
            try:
                return _serve(request, view, permission, parameters)
            except Exception as raised:  # noqa: BLE001 -- whatever it is, it is answered in the envelope
                record_if_denied(raised, request)
                return refuse_exception(raised, request)

        return guarded

    return decorate


def _serve(
    request: HttpRequest, view: PlainView, permission: str, parameters: dict[str, Any]
) -> HttpResponseBase:
    principal = authenticate(request)
    if request.method != "POST":
        response: HttpResponse = refuse_exception(
            MethodNotAllowed(f'Method "{request.method}" not allowed.'), request
        )
        response.headers["Allow"] = "POST"
        return response
    check(principal, permission)
    assert principal is not None  # noqa: S101 -- check() lets nobody else pass
    check_query(request.GET, ())
    return answer_once(request, principal, lambda: view(request, principal, **parameters))
