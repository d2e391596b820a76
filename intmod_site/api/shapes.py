"""Which parts of the URL map refuse in a shape of their own, also where no view is reached."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from intmod_site.api.handler import refuse_exception

Refuse = Callable[[Exception, HttpRequest], HttpResponse]

_shapes: dict[str, Refuse] = {"/api/": refuse_exception}


def register_shape(prefix: str, refuse: Refuse) -> None:
    """Let everything below a path, which ends in a slash, and the path itself refuse so."""
    _shapes[prefix] = refuse


def shape_of(path: str) -> Refuse | None:
    """Give how a path refuses; None for pages, which are Django's."""
    for prefix, refuse in _shapes.items():
        if f"{path}/".startswith(prefix):
            return refuse
    return None
