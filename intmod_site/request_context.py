"""What one request carries through the process: its id, for logs, audit and upstream calls."""

import re
from contextvars import ContextVar

from uuid_utils import uuid7

SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}")

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def current_request_id() -> str | None:
    """Give the id of the request that this thread is answering, if it is."""
    return _request_id.get()


def choose_request_id(offered: str | None) -> str:
    """Take the caller's id where it is a safe token, else make one."""
    if offered and SAFE_REQUEST_ID.fullmatch(offered):
        return offered
    return uuid7().hex


set_request_id = _request_id.set
