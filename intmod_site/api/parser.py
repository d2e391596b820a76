"""Reading request bodies, for DRF views and plain ones alike."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from rest_framework.parsers import BaseParser

from intmod_site.api.errors import MalformedRequest, PayloadTooLarge, UnsupportedMediaType
from intmod_site.api.strict_json import parse_json
from intmod_site.database import release_connection

JSON_TYPES = {"application/json"}
UTF8_NAMES = {"utf-8", "utf8"}


def read_body(request: HttpRequest) -> bytes:
    """Give the raw body.

    Raises:
        PayloadTooLarge: It is longer than REQUEST_BODY_LIMIT_BYTES.
        MalformedRequest: The client went away before it was complete.
    """
    try:
        body = request.body
    except RequestDataTooBig:
        raise PayloadTooLarge(
            f"The body is larger than {settings.REQUEST_BODY_LIMIT_BYTES} bytes."
        ) from None
    except UnreadablePostError:
        raise _cut() from None
    announced = request.META.get("CONTENT_LENGTH") or ""
    # A server may hand over what came before the client went away: nothing is not an empty body.
    if announced.isascii() and announced.isdigit() and len(body) < float(announced):
        raise _cut()
    return body


def _cut() -> MalformedRequest:
    return MalformedRequest("The body ended before it was complete.")


def receive_body(request: HttpRequest) -> bytes:
    """Give the raw body; who sends it slowly keeps no database connection from others meanwhile.

    Raises:
        PayloadTooLarge, MalformedRequest: See `read_body`.
    """
    release_connection()
    return read_body(request)


def read_json(request: HttpRequest) -> Any:
    """Give the body as JSON; an empty body is an empty object.

    Raises:
        UnsupportedMediaType: The body is not announced as application/json in UTF-8.
        PayloadTooLarge, MalformedRequest: See `read_body` and `parse_json`.
    """
    body = read_body(request)
    if not body:
        return {}
    check_media_type(request)
    return parse_json(body, limit_bytes=settings.REQUEST_BODY_LIMIT_BYTES)


def check_media_type(request: HttpRequest) -> None:
    """Refuse bodies that are not announced as JSON in UTF-8, or that are compressed."""
    if request.content_type not in JSON_TYPES:
        raise UnsupportedMediaType("Send the body as Content-Type: application/json.")
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.strip('"').lower() not in UTF8_NAMES:
        raise UnsupportedMediaType("Send the body in UTF-8.")
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without Content-Encoding.")


class StrictJSONParser(BaseParser):
    """`read_json` for DRF."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Read the request's body; DRF's stream is the request itself."""
        return read_json(parser_context["request"]._request)
