"""Whatever is signed with our key, in whatever shape: a principal or a refusal, no error."""

import base64
import hmac
import json
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as configured
from django.contrib import admin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authz.identity import sessions
from authz.identity.lookup import find_principal
from authz.identity.signing_keys import ring_of
from intmod_site.api.errors import NotAuthenticated
from tests.authz.test_odd_tokens import claims

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([10**400, -(10**30), 1e308, 2**63, 2**64])
    | st.floats(allow_nan=True)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from([*claims(), "nbf", "crit", "permissions", "project"])
HEADER_NAMES = st.sampled_from(["kid", "alg", "typ", "crit", "jku", "x5u", "jwk", "b64", "zip"])


def signed(header: Any, payload: Any) -> str:
    """Sign as a key holder without a library would: nothing is checked on the way."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in (header, payload)
    ]
    content = b".".join(parts)
    key = ring_of(tuple(configured.JWT_SIGNING_KEYS.items()))["k1"]
    code = (
        hmac.digest(key.private, content, "sha256")
        if isinstance(key.private, bytes)
        else key.private.sign(content)
    )
    return b".".join([*parts, base64.urlsafe_b64encode(code).rstrip(b"=")]).decode()


def head() -> dict[str, Any]:
    """Give the header that our own tokens have."""
    return {"alg": ring_of(tuple(configured.JWT_SIGNING_KEYS.items()))["k1"].algorithm, "kid": "k1"}


def refused_everywhere(token: str) -> None:
    with pytest.raises(NotAuthenticated):
        find_principal(token, address=None)
    with pytest.raises(NotAuthenticated):
        sessions.refresh(token=token)
    assert sessions.inspect(token=token) == {"active": False, "claims": None}
    assert sessions.revoke(token=token) is False


ODDLY = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@ODDLY
@given(changes=st.dictionaries(NAMES, JSON, max_size=4))
def test_any_claims_are_refused(db: None, ring: None, changes: dict[str, Any]) -> None:
    refused_everywhere(signed(head(), claims() | changes))


@ODDLY
@given(header=st.dictionaries(HEADER_NAMES, JSON, max_size=4))
def test_any_header_is_refused(db: None, ring: None, header: dict[str, Any]) -> None:
    refused_everywhere(signed(head() | header, claims()))


@ODDLY
@given(header=JSON, payload=JSON)
def test_any_shape_is_refused(db: None, ring: None, header: Any, payload: Any) -> None:
    refused_everywhere(signed(header, payload))
    refused_everywhere(signed(head(), payload))


def test_the_codecs_own_token_tables_are_not_there() -> None:
    assert not apps.is_installed("rest_framework_simplejwt.token_blacklist")
    told = {model._meta.app_label for model in (*apps.get_models(), *admin.site._registry)}
    assert "token_blacklist" not in told
