"""The base of every DRF view that works inside a project."""

from typing import Any, cast

from django.db.models import QuerySet
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from authz.idempotency.replay import begin, keep, release, replay
from authz.identity.principal import Principal
from authz.models.kernel import IdempotencyRecord
from intmod_site.api.filters import PAGING_PARAMETERS, check_query
from intmod_site.api.methods import SERVED_METHODS
from intmod_site.api.parser import receive_body

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class _Replayed(Exception):
    """Leaves the view early with an answer that was given before."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.response = response


class ProjectView(APIView):
    """A view whose caller acts in a project.

    `permissions` names what each action (or method) needs; `query_parameters` what each takes.
    """

    permissions: dict[str, str] = {}
    query_parameters: dict[str, tuple[str, ...]] = {}
    request: Request
    http_method_names = SERVED_METHODS
    _claim: IdempotencyRecord | None = None

    @property
    def principal(self) -> Principal:
        """The caller."""
        return cast("Principal", self.request.user)

    def validated(
        self, serializer_class: type[BaseSerializer[Any]], **kwargs: Any
    ) -> dict[str, Any]:
        """Give the validated body."""
        serializer = serializer_class(data=self.request.data, **kwargs)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After credential and permission, check the query and the Idempotency-Key."""
        super().initial(request, *args, **kwargs)
        check_query(request.query_params, self.known_parameters())
        if request.method in WITH_BODY:
            receive_body(request._request)
        caller: Any = request.user
        if request.method == "POST" and isinstance(caller, Principal):
            self._claim = begin(request._request, caller)
            if self._claim and self._claim.status is not None:
                record, self._claim = self._claim, None
                raise _Replayed(replay(record))

    def known_parameters(self) -> tuple[str, ...]:
        """Give the query parameters that the action takes."""
        return self.query_parameters.get(getattr(self, "action", None) or "", ())

    def handle_exception(self, exc: Exception) -> Any:
        """Answer a repeated request as before; leave the rest to the common handler."""
        if isinstance(exc, _Replayed):
            return exc.response
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep the answer for repetitions under the same Idempotency-Key."""
        response = super().finalize_response(request, response, *args, **kwargs)
        claim, self._claim = self._claim, None
        if claim is not None:
            if response.status_code >= 500:
                release(claim)
            else:
                response.add_post_render_callback(lambda rendered: keep(claim, rendered))
        return response


class ProjectViewSet(ProjectView, viewsets.GenericViewSet[Any]):
    """A viewset over rows of the caller's project.

    `queryset` is the base; rows of other projects are as good as not there.
    """

    keyset: tuple[str, ...] = ("-id",)

    def get_queryset(self) -> QuerySet[Any]:
        """Only rows of the caller's project; none while the schema is drawn up."""
        queryset: Any = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return queryset.none()
        return queryset.in_project(self.principal.project_id)

    def known_parameters(self) -> tuple[str, ...]:
        """Lists take paging and their filters, other actions what they name."""
        named = super().known_parameters()
        if self.action != "list":
            return named
        filterset = getattr(self, "filterset_class", None)
        filters = tuple(filterset.base_filters) if filterset else ()
        return (*named, *PAGING_PARAMETERS, *filters)

    def page(
        self, queryset: QuerySet[Any], serializer_class: type[BaseSerializer[Any]] | None = None
    ) -> Response:
        """Answer with one page of the queryset."""
        rows = self.paginate_queryset(self.filter_queryset(queryset))
        serializer_class = serializer_class or self.get_serializer_class()
        return self.get_paginated_response(serializer_class(rows, many=True).data)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give one page of the project's rows."""
        return self.page(self.get_queryset())

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give one of the project's rows."""
        return Response(self.get_serializer(self.get_object()).data)
