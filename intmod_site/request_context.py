"""What one request carries through the process: its id, for logs, audit and upstream calls; when
it came; and headers that code without a response at hand wants on its answer."""

import re
import time
from contextvars import ContextVar

from uuid_utils import uuid7

SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}")


class RequestContext:
    """One request while it is being answered.

    Args:
        request_id: See choose_request_id.
        traceparent: The caller's place in a trace (W3C Trace Context), as it came.
        cache_control: The request's Cache-Control, as it came.
    """

    __slots__ = ("answer_headers", "began_s", "cache_control", "request_id", "traceparent")

    def __init__(
        self, request_id: str, traceparent: str | None = None, cache_control: str | None = None
    ) -> None:
        self.request_id = request_id
        self.traceparent = traceparent
        self.cache_control = cache_control
        self.began_s = time.perf_counter()
        self.answer_headers: dict[str, str] = {}


_current: ContextVar[RequestContext | None] = ContextVar("request", default=None)

current_request = _current.get
enter_request = _current.set
"""Make a request the one that this thread is answering; None for none."""


def current_request_id() -> str | None:
    """Give the id of the request that this thread is answering, if it is."""
    request = _current.get()
    return request.request_id if request else None


def set_answer_header(name: str, value: str) -> None:
    """Put a header on the answer to the current request, whatever the answer will be."""
    request = _current.get()
    if request is not None:
        request.answer_headers[name] = value


def choose_request_id(offered: str | None) -> str:
    """Take the caller's id where it is a safe token, else make one."""
    if offered and SAFE_REQUEST_ID.fullmatch(offered):
        return offered
    return uuid7().hex
