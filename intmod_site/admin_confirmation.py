"""Pages of the admin that ask for the password again, where it was typed long ago.

A browser that was left alone changes neither secrets nor who may do what.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

CONFIRMED_AT = "confirmed_at"
OPEN_PAGES = ("changelist", "history")
"""What only shows many objects, or what became of one."""


def note_confirmed(request: HttpRequest) -> None:
    """Note that the password was typed just now."""
    request.session[CONFIRMED_AT] = time.time()


def is_confirmed(request: HttpRequest) -> bool:
    """Say whether the password was typed lately (`ADMIN_CONFIRMED_FOR_S`)."""
    age_s = time.time() - request.session.get(CONFIRMED_AT, 0)
    return bool(0 <= age_s < settings.ADMIN_CONFIRMED_FOR_S)


def asks_again(request: HttpRequest, models: list[type[Model]]) -> bool:
    """Say whether a request is for a page of one of these models that changes it."""
    match = request.resolver_match
    name = (match.url_name or "") if match else ""
    for model in models:
        prefix = f"{model._meta.app_label}_{model._meta.model_name}_"
        if name.startswith(prefix):
            return request.method == "POST" or name.removeprefix(prefix) not in OPEN_PAGES
    return False


def confirmed_first(view: Callable[..., HttpResponse], site: Any) -> Callable[..., HttpResponse]:
    """Ask for the password before a view that changes one of the site's `confirmed_models`.

    Args:
        view: A page of the site.
        site: The `IntmodAdminSite`, whose page for asking is shown.
    """

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not site.has_permission(request) or not asks_again(request, site.confirmed_models()):
            return view(request, *args, **kwargs)
        if is_confirmed(request):
            return view(request, *args, **kwargs)
        if request.method == "POST":
            messages.warning(
                request, "Nothing was changed: it was too long ago. Please send it once more."
            )
        query = urlencode({"next": _page_of(request)})
        return HttpResponseRedirect(f"{reverse('admin:confirm', current_app=site.name)}?{query}")

    return asked


def next_page(request: HttpRequest) -> str:
    """Give the page to go on to: one of ours, whatever was asked for."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else reverse("admin:index")


def _page_of(request: HttpRequest) -> str:
    """Give the page that a form was sent from; some routes only take what is sent."""
    if request.method != "POST":
        return request.get_full_path()
    try:
        came_from = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # such as of an unclosed bracket
        return reverse("admin:index")
    if came_from.netloc == request.get_host() and came_from.path:
        return came_from.path + (f"?{came_from.query}" if came_from.query else "")
    return reverse("admin:index")
