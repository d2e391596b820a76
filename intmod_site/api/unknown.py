"""The answer for paths under the API that lead nowhere."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from intmod_site.api.errors import NotFound
from intmod_site.api.handler import refuse_exception


@csrf_exempt
def unknown_route(request: HttpRequest) -> HttpResponse:
    """Answer 404 in the envelope; a route of its own, because DEBUG replaces handler404."""
    return refuse_exception(
        NotFound("There is no such route; see /api/docs.", code="unknown_route"), request
    )
