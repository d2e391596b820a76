"""Making what an upstream said fit to be shown: short, on one line, without keys."""

import re

MAX_SHOWN_CHARACTERS = 500
_READ_CHARACTERS = 20_000
_MASK = "[key]"

_KEY = re.compile(
    r"""
    (?:bearer|basic)\s+[\w.~+/=*-]{6,}                      # an Authorization header's value
    | (?:api[-_ ]?key|token|secret|password)["']?\s*[:=]\s*["']?(?![0-9]+\b)[\w.~+/=*-]{6,}
    | \b(?:sk|pk|rk|ak|gsk|xai|hf|nvapi|r8|intmod)[-_][\w.*-]{6,}
    | \bAIza[\w-]{20,}                                      # Google
    | \bAKIA[0-9A-Z]{12,}                                   # AWS
    | \beyJ[\w-]{8,}\.[\w.-]+                               # a JWT
    | \b\w{2,}\*{3,}\w*                                     # masked by somebody, though not wholly
    | \b(?=[a-z]*[0-9])(?=[0-9]*[a-z])[0-9a-z]{28,}\b       # hexadecimal, base 62
    """,
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)


def shown(text: str) -> str:
    """Give an upstream's words as they may be shown: at most 500 characters, keys masked."""
    if not text:
        return ""
    # Masked before it is cut: half a key would not be recognised.
    line = " ".join(_KEY.sub(_MASK, text[:_READ_CHARACTERS]).split())
    if len(line) <= MAX_SHOWN_CHARACTERS:
        return line
    return line[: MAX_SHOWN_CHARACTERS - 1] + "…"
