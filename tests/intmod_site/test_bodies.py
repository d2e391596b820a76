"""Odd bodies over HTTP: the same answer on DRF's routes and on plain ones, and nothing changes."""

from io import BytesIO

import pytest

from authz.models import AuditEvent
from tests.api_client import ApiClient
from tests.intmod_site.test_strict_json import REFUSED
from tests.schema_check import BASE

ROUTES = ("registry/models", "ai/generate")


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(("body", "word"), REFUSED)
def test_malformed_json_is_a_400(api: ApiClient, path: str, body: bytes, word: str) -> None:
    events = AuditEvent.objects.count()
    envelope = api.refused(400, "POST", path, raw=body)
    assert envelope["error_details"]["code"] == "malformed_json"
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("path", ROUTES)
def test_ten_megabytes_are_a_413(api: ApiClient, path: str) -> None:
    body = b'{"prompt":"' + b"a" * 10_000_000 + b'"}'
    envelope = api.refused(413, "POST", path, raw=body)
    assert envelope["error_details"]["code"] == "payload_too_large"


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
     "application/json; charset=utf-16", "application/json; charset=latin-1"],
)  # fmt: skip
def test_other_media_types_are_a_415(api: ApiClient, path: str, content_type: str) -> None:
    envelope = api.refused(415, "POST", path, raw=b"{}", content_type=content_type)
    assert envelope["error_details"]["code"] == "unsupported_media_type"


@pytest.mark.parametrize("path", ROUTES)
def test_compressed_bodies_are_a_415(api: ApiClient, path: str) -> None:
    api.refused(415, "POST", path, raw=b"\x1f\x8b", Content_Encoding="gzip")


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"null", b"true"])
def test_a_body_is_an_object(api: ApiClient, path: str, body: bytes) -> None:
    api.refused(400, "POST", path, raw=body)


@pytest.mark.parametrize("path", ROUTES)
def test_an_empty_body_lacks_its_fields(api: ApiClient, path: str) -> None:
    envelope = api.refused(400, "POST", path, raw=b"")
    assert envelope["error_details"]["fields"][0]["code"] == "required"


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("came", [b"", b'{"prompt":"Hi"}'])
def test_a_body_that_was_cut_is_a_400(api: ApiClient, path: str, came: bytes) -> None:
    answer = api.generic(
        "POST", f"{BASE}{path}", b"x", content_type="application/json",
        headers={"Authorization": f"Bearer {api.credential}"},
        CONTENT_LENGTH=str(len(came) + 5), **{"wsgi.input": BytesIO(came)},
    )  # fmt: skip
    assert answer.status_code == 400
    assert "before it was complete" in answer.json()["error"]
