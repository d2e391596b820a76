"""Which calls are tried again: by method, by key, by what went wrong."""

from typing import Any

import pytest

from tests.api_client import ApiClient
from tests.integrations.connections.conftest import Register, Serve
from tests.integrations.connections.test_outside_world import BUSY, OK, answers, status

PATH = "integration/external/crm/request"
POST = {"method": "POST", "endpoint": "/", "data": {"a": 1}}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_these_methods_are_tried_again(
    method: str, api: ApiClient, serve: Serve, register: Register
) -> None:
    register(serve(answers(BUSY, OK if method != "HEAD" else status("200 OK"))))
    answer = api.ok("POST", PATH, {"method": method, "endpoint": "/"})
    assert (answer["status"], answer["attempts"]) == (200, 2)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_these_are_not_unless_the_integration_says_so(
    method: str, api: ApiClient, serve: Serve, register: Register
) -> None:
    register(serve(answers(BUSY, BUSY, OK)))
    answer = api.ok("POST", PATH, POST | {"method": method})
    assert (answer["status"], answer["attempts"]) == (503, 1)
    api.ok("PATCH", "integration/external/crm", {"retries_unsafe": True})
    answer = api.ok("POST", PATH, POST | {"method": method})
    assert (answer["status"], answer["attempts"]) == (200, 2)


def test_an_idempotency_key_makes_a_post_repeatable(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    register(serve(answers(BUSY, OK, BUSY, OK)))
    assert api.ok("POST", PATH, POST, Idempotency_Key="k")["attempts"] == 2
    keyed: dict[str, Any] = POST | {"headers": {"Idempotency-Key": "theirs"}}
    assert api.ok("POST", PATH, keyed)["attempts"] == 2


def test_a_post_that_was_never_sent_is_tried_again(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    with serve(lambda peer: None) as server:
        pass
    register(server, max_retries=2)
    envelope = api.refused(502, "POST", PATH, POST)
    assert envelope["error_details"]["code"] == "connect_failed"
    assert len(api.ok("GET", "integration/external/crm/calls")["results"]) == 3


@pytest.mark.parametrize("line", ["400 Bad Request", "401 No", "404 No", "409 No", "501 No"])
def test_what_would_fail_again_is_not_tried_again(
    line: str, api: ApiClient, serve: Serve, register: Register
) -> None:
    register(serve(answers(status(line))))
    answer = api.ok("POST", PATH, {"method": "GET", "endpoint": "/"})
    assert (answer["status"], answer["attempts"]) == (int(line[:3]), 1)


def test_max_retries_counts_beyond_the_first(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    register(serve(answers(BUSY)), max_retries=3)
    answer = api.ok("POST", PATH, {"method": "GET", "endpoint": "/"})
    assert (answer["status"], answer["attempts"]) == (503, 4)


def test_the_timeout_is_for_all_attempts_together(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    server = serve(answers(status("503 Busy", "Retry-After: 2")))
    register(server, max_retries=10, timeout_s=3.5)
    answer = api.ok("POST", PATH, {"method": "GET", "endpoint": "/"})
    assert (answer["status"], answer["attempts"]) == (503, 2)
