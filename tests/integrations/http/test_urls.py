import pytest

from integrations.http.errors import InvalidUrl
from integrations.http.guard import Destination, Origin, parse_url


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("http://example.com", ("http", "example.com", 80), "/"),
        (
            "https://example.com/a/b?c=d&e[f]=%20",
            ("https", "example.com", 443),
            "/a/b?c=d&e[f]=%20",
        ),
        ("HTTPS://Example.COM./", ("https", "example.com", 443), "/"),
        ("https://example.com?q=1", ("https", "example.com", 443), "/?q=1"),
        ("http://example.com:8080//x", ("http", "example.com", 8080), "//x"),
        ("http://my_service:1/", ("http", "my_service", 1), "/"),
        ("http://xn--bcher-kva.example/", ("http", "xn--bcher-kva.example", 80), "/"),
        ("http://1.2.3.4:65535/", ("http", "1.2.3.4", 65535), "/"),
        ("http://[::1]:80/", ("http", "::1", 80), "/"),
        ("http://[2606:4700:0:0:0:0:0:1111]/", ("http", "2606:4700::1111", 80), "/"),
        ("http://[::ffff:1.2.3.4]/", ("http", "::ffff:102:304", 80), "/"),
        ("http://7up.example/", ("http", "7up.example", 80), "/"),
        ("http://example.com/a@b:c", ("http", "example.com", 80), "/a@b:c"),
    ],
)
def test_proper_urls(url: str, origin: tuple[str, str, int], target: str) -> None:
    assert parse_url(url) == Destination(Origin(*origin), target)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http:/example.com/",
        "http:///path",
        "http://",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://example.com:80@evil.example/",
        "http://example.com\\@evil.example/",
        "http://example.com/a\\b",
        "http://exam ple.com/",
        " http://example.com/",
        "http://example.com/ ",
        "http://example.com/a b",
        "http://example.com/\n",
        "http://example.com/a\r\nHost: evil",
        "http://example.com/\x00",
        "http://example.com/\x7f",
        "http://example.com\t/",
        "http://example.com/#fragment",
        "http://example.com/{id}",
        'http://example.com/"',
        "http://example.com/é",
        "http://bücher.example/",
        "http://\uff11\uff12\uff17.0.0.1/",
        "http://127\u30020\u30020\u30021/",
        "http://example.com:/",
        "http://example.com:0/",
        "http://example.com:080/",
        "http://example.com:65536/",
        "http://example.com:99999999/",
        "http://example.com:80x/",
        "http://example.com:-1/",
        "http://example.com:\uff18\uff10/",
        "http://.example.com/",
        "http://example..com/",
        "http://example.com../",
        "http://-example.com/",
        "http://example-.com/",
        f"http://{'a' * 64}.com/",
        f"http://{'a.' * 127}com/",
        f"http://example.com/{'a' * 8192}",
        "http://example%2ecom/",
        # other spellings of 127.0.0.1
        "http://127.1/",
        "http://127.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0X7F.1/",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://127.0.0.01/",
        "http://127.0.0.0x1/",
        "http://127.0.0.1.1/",
        "http://256.0.0.1/",
        "http://1.2.3.4.5/",
        "http://example.0x/",
        "http://[127.0.0.1]/",
        "http://[::1/",
        "http://::1/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[::g]/",
        "http://[1:2:3]/",
        "http://[v1.a]/",
    ],
)
def test_everything_ambiguous_is_refused(url: str) -> None:
    with pytest.raises(InvalidUrl) as caught:
        parse_url(url)
    assert caught.value.code == "invalid_url"
    assert not caught.value.retryable
    assert not caught.value.sent
    assert "secret" not in str(caught.value)


def test_a_dotted_quad_with_a_final_dot_is_the_same_host() -> None:
    assert parse_url("http://127.0.0.1./").origin == Origin("http", "127.0.0.1", 80)


@pytest.mark.parametrize(
    ("host", "is_literal"),
    [("1.2.3.4", True), ("::1", True), ("example.com", False), ("a1", False), ("1.a", False)],
)
def test_literals_need_no_lookup(host: str, is_literal: bool) -> None:
    assert Origin("http", host, 80).is_literal is is_literal
