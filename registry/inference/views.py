"""The AI endpoints: plain views, because here every tenth of a millisecond is somebody's."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from authz.api.plain import plain_post
from authz.identity.principal import Principal
from intmod_site.api.parser import read_json
from registry.inference.endpoints import ENDPOINTS
from registry.inference.endpoints.endpoint import Endpoint
from registry.inference.endpoints.serving import serve


def _view(endpoint: Endpoint) -> Callable[..., HttpResponseBase]:
    @plain_post(permission="registry.invoke_modelversion")
    def view(request: HttpRequest, principal: Principal) -> HttpResponseBase:
        return serve(principal=principal, endpoint=endpoint, body=read_json(request))

    return view


VIEWS = {task: _view(endpoint) for task, endpoint in ENDPOINTS.items()}
