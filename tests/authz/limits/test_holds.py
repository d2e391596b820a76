"""Amounts held while something runs, and settled when it ended."""

import pytest

from authz.limits.holds import Hold, forget_old, hold, settle, taken
from authz.models import HoldAccount


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(db: None) -> Clock:
    return Clock()


def held(clock: Clock, amount: int, limit: int = 10, key: str = "k") -> Hold | None:
    return hold(key=key, amount=amount, limit=limit, expires_s=60, clock=clock)


def given(clock: Clock, amount: int) -> Hold:
    got = held(clock, amount)
    assert got is not None
    return got


def test_what_is_held_cannot_be_held_again(clock: Clock) -> None:
    first = given(clock, 6)
    assert held(clock, 5) is None
    second = given(clock, 4)
    assert taken(key="k", clock=clock) == (0, 10)
    settle(held=first, amount=0, clock=clock)
    assert taken(key="k", clock=clock) == (0, 4)
    settle(held=second, amount=3, clock=clock)
    assert taken(key="k", clock=clock) == (3, 0)
    assert held(clock, 8) is None
    assert held(clock, 7) is not None


def test_more_may_be_settled_than_was_held(clock: Clock) -> None:
    settle(held=given(clock, 1), amount=15, clock=clock)
    assert taken(key="k", clock=clock) == (15, 0)
    assert held(clock, 1) is None
    assert held(clock, 0) is None


def test_a_hold_whose_process_died_expires(clock: Clock) -> None:
    lost = given(clock, 10)
    assert held(clock, 1) is None
    clock.now_s += 61
    assert taken(key="k", clock=clock) == (0, 0)
    again = given(clock, 10)
    assert [entry[0] for entry in HoldAccount.objects.get().holds] == [again.id]
    # It was not dead after all: what it cost is settled, and nobody else's hold ends.
    settle(held=lost, amount=4, clock=clock)
    assert taken(key="k", clock=clock) == (4, 10)


def test_more_than_there_ever_was_is_not_held(clock: Clock) -> None:
    assert held(clock, 11) is None
    assert not HoldAccount.objects.exists()


def test_keys_do_not_share(clock: Clock) -> None:
    assert held(clock, 10, key="a")
    assert held(clock, 10, key="b")


def test_large_amounts_keep_their_digits(clock: Clock) -> None:
    amount = 2**62
    got = hold(key="k", amount=amount, limit=2**63 - 1, expires_s=60, clock=clock)
    assert got is not None
    settle(held=got, amount=amount + 1, clock=clock)
    assert taken(key="k", clock=clock) == (amount + 1, 0)


def test_old_accounts_are_forgotten(clock: Clock) -> None:
    given(clock, 1)
    clock.now_s += 1000
    held(clock, 1, key="new")
    assert forget_old(older_than_s=999, clock=clock) == 1
    assert HoldAccount.objects.get().key == "new"
