"""GET /audit/verify: the newest part of the chain, for whoever may read the log."""

from collections.abc import Iterator

import pytest
from django.db import connection

from authz.audit import triggers
from authz.audit.chain import Checkpoint
from authz.audit.seal import seal_events, write_checkpoint
from authz.models import Membership
from authz.views import audit
from tests.api_client import ApiClient
from tests.authz.audit.tampering import EVENT, event_at, record, unguarded
from tests.factories.authz import MembershipFactory, api_key_for


@pytest.fixture
def client(transactional_db: None) -> Iterator[ApiClient]:
    membership: Membership = MembershipFactory(role_name="admin")
    key = api_key_for(membership)
    triggers.install(connection)
    record(4)
    yield ApiClient(key)
    triggers.remove(connection)


def test_an_intact_log_and_its_checkpoint(client: ApiClient) -> None:
    answer = client.ok("GET", "audit/verify")
    assert (answer["is_intact"], answer["last_sequence"], answer["checkpoint"]) == (True, 0, None)
    assert answer["unsealed_count"] == 5
    seal_events()
    write_checkpoint()
    answer = client.ok("GET", "audit/verify")
    assert answer["is_intact"]
    assert (answer["first_sequence"], answer["last_sequence"]) == (1, 5)
    assert Checkpoint.read(answer["checkpoint"]).is_genuine


def test_what_was_changed_is_named(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    seal_events()
    unguarded(f"UPDATE {EVENT} SET actor_label = 's3cret' WHERE id = %s", event_at(2))
    answer = client.ok("GET", "audit/verify")
    assert not answer["is_intact"]
    assert [(problem["sequence"], problem["kind"]) for problem in answer["problems"]] == [
        (2, "event_changed")
    ]
    assert "s3cret" not in str(answer)
    monkeypatch.setattr(audit, "VERIFIED_SEALS", 2)
    assert client.ok("GET", "audit/verify")["is_intact"], "it tells what it looked at"
    assert client.ok("GET", "audit/verify")["first_sequence"] == 4


def test_only_who_may_read_the_log_may_verify_it(db: None) -> None:
    operator = ApiClient(api_key_for(MembershipFactory(role_name="operator")))
    operator.refused(403, "GET", "audit/verify")
    ApiClient().refused(401, "GET", "audit/verify")
