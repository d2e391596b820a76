import pytest

from integrations.http.errors import InvalidRequest
from integrations.http.messages import OutboundRequest


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET /x HTTP/1.1\r\nX:", {}),
        ("", {}),
        ("GET", {"X": "a\r\nB: c"}),
        ("GET", {"X": "a\r\n b"}),
        ("GET", {"X": "a\nb"}),
        ("GET", {"X": "a\x00"}),
        ("GET", {"X": "€"}),
        ("GET", {"X Y": "a"}),
        ("GET", {"X:": "a"}),
        ("GET", {"": "a"}),
        ("GET", {"Host": "other.example"}),
        ("GET", {"content-length": "5"}),
        ("GET", {"Transfer-Encoding": "chunked"}),
        ("GET", {"Connection": "keep-alive, X"}),
        ("GET", {"accept-encoding": "gzip"}),
    ],
)
def test_requests_that_could_be_read_differently(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        OutboundRequest(method, "http://example.com/", headers)
    assert not caught.value.sent


def test_secrets_stay_out_of_repr() -> None:
    request = OutboundRequest("POST", "http://h/?k=s3cret", {"A": "s3cret"}, b"s3cret")
    assert "s3cret" not in repr(request)
