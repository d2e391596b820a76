"""What must not be stored is taken out; ordinary text stays."""

import pytest

from intmod_site.redaction import redact


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to ada.lovelace+x@example.co.uk now", "email"),
        ("key sk-proj-abcdefghijkl1234567890", "secret"),
        ("key intmod_lPVSniY03Yl1_6iZr6p12WCFvIXQ10JsrURXTN9oeIJKz2l8gIG", "secret"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "token"),
        ("card 4111 1111 1111 1111 expires", "card"),
        ("call +49 30 1234 5678 today", "phone"),
        ("from 192.168.10.20 it came", "address"),
    ],
)
def test_each_kind_is_replaced_by_its_name(text: str, kind: str) -> None:
    redacted = redact(text)
    assert f"[{kind}]" in redacted
    assert redacted.split(" ")[0] == text.split(" ", maxsplit=1)[0]


@pytest.mark.parametrize(
    "text",
    [
        "The year 2026 was good.",
        "3.14159 is not a phone",
        "version 1.2.3",
        "a@b",
        "sk- is a prefix",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text
