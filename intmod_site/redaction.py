"""Taking personal data and credentials out of texts before they are stored."""

import re

_PATTERNS = (
    ("email", re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}\b")),
    (
        "secret",
        re.compile(r"\b(?:sk|pk|rk|ghp|gho|xox[abp]|intmod|whsec|AKIA)[-_]?[A-Za-z0-9_-]{12,}"),
    ),
    ("token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")),
    ("card", re.compile(r"\b(?:\d[ -]?){12,18}\d\b")),
    ("address", re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")),
    ("phone", re.compile(r"(?<![\w.])\+?\d{1,3}[ .-]?\(?\d{2,4}\)?(?:[ .-]?\d{2,4}){2,4}(?!\w)")),
)


def redact(text: str) -> str:
    """Replace what looks like personal data or a credential by its kind in brackets."""
    for kind, pattern in _PATTERNS:
        text = pattern.sub(f"[{kind}]", text)
    return text
