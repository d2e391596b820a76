"""The life of tokens, held against a model of a few lines: which may call, which may refresh."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from authz.identity import sessions
from authz.identity.lookup import find_principal
from authz.identity.members import update_user
from authz.models import Session, User
from intmod_site.api.errors import NotAuthenticated
from tests.factories.authz import ACTOR, PASSWORD, MembershipFactory


class Tokens(RuleBasedStateMachine):
    """One person with several sessions; the model is a set of live ones and their next token."""

    pairs = Bundle("pairs")

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.member = MembershipFactory()
        self.is_active = True
        self.password = PASSWORD
        self.next_refresh: dict[str, str] = {}
        self.outdated: set[str] = set()
        self.access: list[tuple[str, str]] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    def counts(self, session: str) -> bool:
        return self.is_active and session in self.next_refresh

    def remember(self, session: str, pair: sessions.TokenPair) -> tuple[str, sessions.TokenPair]:
        self.next_refresh[session] = pair.refresh
        self.access.append((session, pair.access))
        return session, pair

    @rule(target=pairs)
    def log_in(self) -> Any:
        def attempt() -> sessions.TokenPair:
            return sessions.log_in(username=self.member.user.username, password=self.password)

        if not self.is_active:
            with pytest.raises(NotAuthenticated):
                attempt()
            return "nobody", None
        pair = attempt()
        return self.remember(str(Session.objects.order_by("-id")[0].pk), pair)

    @rule(target=pairs, held=pairs)
    def refresh(self, held: Any) -> Any:
        session, pair = held
        if pair is None:
            return held
        if self.counts(session) and self.next_refresh[session] == pair.refresh:
            return self.remember(session, sessions.refresh(token=pair.refresh))
        with pytest.raises(NotAuthenticated):
            sessions.refresh(token=pair.refresh)
        if self.is_active:  # used before: the whole session ends
            self.next_refresh.pop(session, None)
        return held

    @rule(held=consumes(pairs), by_refresh=st.booleans())
    def log_out(self, held: Any, by_refresh: bool) -> None:
        session, pair = held
        if pair is None:
            return
        ended = sessions.revoke(token=pair.refresh if by_refresh else pair.access)
        assert ended is (session in self.next_refresh or session in self.outdated)
        self.next_refresh.pop(session, None)
        self.outdated.discard(session)

    @rule(number=st.integers(0, 3))
    def change_the_password(self, number: int) -> None:
        self.password = f"another horse battery {number}"
        user = User.objects.get(pk=self.member.user.pk)
        update_user(actor=ACTOR, user=user, changes={}, password=self.password)
        # Their rows live on, so that logging out of one still finds something to end.
        self.outdated |= set(self.next_refresh)
        self.next_refresh.clear()

    @rule(active=st.booleans())
    def switch(self, active: bool) -> None:
        user = User.objects.get(pk=self.member.user.pk)
        update_user(actor=ACTOR, user=user, changes={"is_active": active})
        self.is_active = active

    @invariant()
    def exactly_the_live_ones_count(self) -> None:
        for session, access in self.access:
            try:
                find_principal(access, address=None)
            except NotAuthenticated:
                counted = False
            else:
                counted = True
            assert counted is self.counts(session)
            assert sessions.inspect(token=access)["active"] is counted


def test_tokens_live_as_the_model_says(db: None) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Tokens,
        settings=settings(
            max_examples=12,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
