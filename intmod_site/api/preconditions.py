"""If-Match on changes that two people may make at once. https://www.rfc-editor.org/rfc/rfc9110#name-if-match"""

import re

from django.http import HttpRequest
from drf_spectacular.utils import OpenApiParameter

from intmod_site.api.errors import PreconditionFailed

_TAG = re.compile(r'"([1-9][0-9]{0,17})"')

IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description='The version that the change was made from, as its ETag: `"3"`.',
)


def etag(version: int) -> str:
    """Give a version as an entity tag."""
    return f'"{version}"'


def expected_version(request: HttpRequest) -> int | None:
    """Give the version that If-Match names; None where any will do.

    Raises:
        PreconditionFailed: It names none of ours.
    """
    text = request.META.get("HTTP_IF_MATCH", "*").strip()
    if text == "*":
        return None
    match = _TAG.fullmatch(text)
    if match is None:
        raise PreconditionFailed("If-Match takes the ETag of the answer that was read.")
    return int(match[1])
