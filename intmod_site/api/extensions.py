"""Adding to the API without changing it: endpoints, middleware and validators of your own.

A module named in INTMOD_EXTENSIONS defines `extend(api)` and calls the three functions of
`Extensions` on it. docs/extending.md shows one.
"""

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any

import jsonschema_rs
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from django.urls import path as route
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from intmod_site.api.errors import FieldError, ValidationFailed
from intmod_site.api.methods import SERVED_METHODS
from intmod_site.middleware import API_PREFIX

Handler = Callable[[Request, dict[str, Any]], dict[str, Any]]
Middleware = Callable[
    [Callable[[HttpRequest], HttpResponseBase]], Callable[[HttpRequest], HttpResponseBase]
]
Validator = Callable[[Any], bool]
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
NOT_AN_OBJECT = "The body must be a JSON object."


class Extensions:
    """What extension modules have added to this process."""

    def __init__(self) -> None:
        self.endpoints: list[URLPattern] = []
        self.middleware: list[Middleware] = []
        self.validators: dict[str, Validator] = {}

    def register_endpoint(
        self,
        *,
        path: str,
        method: str,
        handler: Handler,
        permission: str,
        serializer: type[serializers.Serializer[Any]] | None = None,
        validation_schema: dict[str, Any] | None = None,
        answer: type[serializers.Serializer[Any]] | None = None,
    ) -> None:
        """Serve `handler(request, data) -> data` at /api/v1/<path>.

        Args:
            path: Route below /api/v1, in Django's path syntax, without slashes around it.
            method: HTTP method.
            handler: Given the DRF request and the validated body; answers the envelope's `data`.
            permission: What the credential must carry, such as `registry.view_modelversion`.
            serializer: Validates the body, and describes it in the OpenAPI schema.
            validation_schema: Instead of a serializer: a JSON Schema 2020-12 for the body, whose
                `format` may name a validator of yours.
            answer: Describes `data` in the OpenAPI schema.

        Raises:
            ValueError: For an unknown method, or both a serializer and a schema.
        """
        if method.upper() not in METHODS:
            raise ValueError(f"{method} is none of {', '.join(sorted(METHODS))}.")
        if serializer and validation_schema:
            raise ValueError("Give either a serializer or a validation_schema.")
        view = _endpoint_view(
            self, method.lower(), handler, permission, serializer, validation_schema, answer
        )
        self.endpoints.append(route(path, view.as_view(), name=f"extension:{method}:{path}"))

    def add_middleware(self, middleware: Middleware) -> None:
        """Put a Django middleware around every request under /api/."""
        self.middleware.append(middleware)

    def add_validator(self, name: str, validator: Validator) -> None:
        """Name a check `value -> bool`: a `format` in schemas, `validator(name)` in serializers."""
        if name in self.validators:
            raise ValueError(f"There is a validator called {name} already.")
        self.validators[name] = validator

    def validator(self, name: str) -> Callable[[Any], None]:
        """Give the named check as a DRF field validator."""

        def check(value: Any) -> None:
            if not self.validators[name](value):
                raise serializers.ValidationError(f"Not a valid {name}.", code=name)

        return check

    def load(self, modules: list[str]) -> None:
        """Let each module extend the API; called once, when the site is ready."""
        for module in modules:
            import_module(module).extend(self)


extensions = Extensions()


class ExtensionMiddleware:
    """Runs the extensions' middleware, first added outermost, around the API only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, through the chain where there is one."""
        if extensions.middleware and request.path_info.startswith(API_PREFIX):
            return self.chain(request)
        return self.get_response(request)

    @cached_property
    def chain(self) -> Callable[[HttpRequest], HttpResponseBase]:
        """The middleware wrapped around the rest of the stack."""
        chain = self.get_response
        for middleware in reversed(extensions.middleware):
            chain = middleware(chain)
        return chain


def _endpoint_view(
    api: Extensions,
    method: str,
    handler: Handler,
    permission: str,
    serializer: type[serializers.Serializer[Any]] | None,
    validation_schema: dict[str, Any] | None,
    answer: type[serializers.Serializer[Any]] | None,
) -> type[APIView]:
    validate = (
        _serializer_check(serializer)
        if serializer
        else _schema_check(api, validation_schema)
        if validation_schema
        else dict
    )
    request_schema: Any = serializer or (
        {"application/json": validation_schema} if validation_schema else None
    )

    @extend_schema(request=request_schema, responses=answer or OpenApiTypes.OBJECT)
    def handle(self: APIView, request: Request, **parameters: Any) -> Response:  # noqa: ARG001
        data = {} if method in {"get", "delete"} else request.data
        if not isinstance(data, dict):
            raise ValidationFailed(
                NOT_AN_OBJECT, fields=(FieldError("/", "invalid", NOT_AN_OBJECT),)
            )
        return Response(handler(request, validate(data) | parameters))

    return type(
        f"{handler.__name__}_endpoint",
        (APIView,),
        {
            method: handle,
            "permissions": {method: permission},
            "http_method_names": SERVED_METHODS,
        },
    )


def _serializer_check(
    serializer: type[serializers.Serializer[Any]],
) -> Callable[[Any], dict[str, Any]]:
    def check(data: Any) -> dict[str, Any]:
        instance = serializer(data=data)
        instance.is_valid(raise_exception=True)
        return dict(instance.validated_data)

    return check


def _schema_check(api: Extensions, schema: dict[str, Any]) -> Callable[[Any], dict[str, Any]]:
    compiled = jsonschema_rs.Draft202012Validator(
        schema, formats=dict(api.validators), validate_formats=True
    )

    def check(data: Any) -> dict[str, Any]:
        errors = [
            FieldError("/" + "/".join(map(str, error.instance_path)), "schema", error.message)
            for error in compiled.iter_errors(data)
        ]
        if errors:
            raise ValidationFailed(f"{errors[0].path}: {errors[0].message}", fields=tuple(errors))
        return dict(data)

    return check
