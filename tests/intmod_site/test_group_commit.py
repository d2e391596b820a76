"""Group commit: one transaction for many, an answer for each, and nobody pays for another."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, sleep

import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.utils import timezone

from authz.models.kernel import IdempotencyRecord
from intmod_site import group_commit
from intmod_site.group_commit import GroupCommit

pytestmark = pytest.mark.django_db(transaction=True)

SOON_S = 60


def write(name: str) -> str:
    now = timezone.now()
    IdempotencyRecord.objects.create(
        principal="p", key=name, fingerprint="f", locked_until=now, expires_at=now
    )
    return name.upper()


def written() -> list[str]:
    return sorted(IdempotencyRecord.objects.values_list("key", flat=True))


class Writer:
    """Writes names; the first transaction is held open until it is let go."""

    def __init__(self, *, at_once: int = 100) -> None:
        self.groups: list[list[str]] = []
        self.inside, self.go = threading.Event(), threading.Event()
        self.group_commit = GroupCommit(self.make, size=lambda _: 1, at_once=at_once)

    def make(self, names: Sequence[str]) -> list[str]:
        self.groups.append(list(names))
        if len(self.groups) == 1:
            self.inside.set()
            assert self.go.wait(SOON_S)
        if "away" in names:
            raise OperationalError("the database is away")
        if "odd" in names:
            raise ValueError("odd")
        if "end" in names:
            raise SystemExit
        return [write(name) for name in names]

    def commit(self, name: str) -> str:
        try:
            return self.group_commit.commit(name)
        finally:
            connection.close()


@contextmanager
def waiting(writer: Writer, *names: str) -> Iterator[dict[str, "Future[str]"]]:
    """Let the names wait for the first transaction, in order; then let it go on."""
    with ThreadPoolExecutor(len(names) + 1) as pool:
        asked = {"first": pool.submit(writer.commit, "first")}
        assert writer.inside.wait(SOON_S)
        for count, name in enumerate(names, 1):
            asked[name] = pool.submit(writer.commit, name)
            until = monotonic() + SOON_S
            while len(writer.group_commit._waiting) < count and monotonic() < until:
                sleep(0.001)
        assert written() == [], "nothing is there before the commit"
        writer.go.set()
        yield asked


def test_who_comes_meanwhile_is_committed_together() -> None:
    writer = Writer()
    with waiting(writer, "a", "b", "c") as asked:
        answers = {name: future.result(SOON_S) for name, future in asked.items()}
    assert answers == {"first": "FIRST", "a": "A", "b": "B", "c": "C"}
    assert writer.groups == [["first"], ["a", "b", "c"]]
    assert written() == ["a", "b", "c", "first"]


def test_a_transaction_takes_so_many_and_the_next_takes_the_rest() -> None:
    writer = Writer(at_once=2)
    with waiting(writer, "a", "b", "c") as asked:
        assert [future.result(SOON_S) for future in asked.values()] == ["FIRST", "A", "B", "C"]
    assert writer.groups == [["first"], ["a", "b"], ["c"]]


def test_what_cannot_be_written_fails_alone() -> None:
    writer = Writer()
    with waiting(writer, "a", "first", "odd", "b") as asked:
        # "first" stands for itself and for one that comes a second time.
        assert asked["a"].result(SOON_S) == "A"
        assert asked["b"].result(SOON_S) == "B"
        with pytest.raises(IntegrityError):
            asked["first"].result(SOON_S)
        with pytest.raises(ValueError, match="odd"):
            asked["odd"].result(SOON_S)
    assert written() == ["a", "b", "first"]
    assert writer.commit("later") == "LATER"


def test_all_are_told_when_the_database_is_away() -> None:
    writer = Writer()
    with waiting(writer, "away", "b") as asked:
        for name in ("away", "b"):
            with pytest.raises(OperationalError, match="away"):
                asked[name].result(SOON_S)
    assert writer.groups == [["first"], ["away", "b"]], "nobody waited for it twice"
    assert written() == ["first"]
    assert writer.commit("later") == "LATER"


def test_who_leads_and_is_ended_takes_nobody_along() -> None:
    writer = Writer()
    with waiting(writer, "end", "b") as asked:
        assert asked["b"].result(SOON_S) == "B"
        with pytest.raises(SystemExit):
            asked["end"].result(SOON_S)
    assert written() == ["b", "first"]


def test_a_commit_that_fails_is_nobodys_success(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer()
    writer.go.set()
    monkeypatch.setattr(connections["default"], "_commit", _away)
    with pytest.raises(OperationalError):
        writer.group_commit.commit("a")
    monkeypatch.undo()
    assert written() == []
    assert writer.commit("a") == "A"


def test_inside_a_transaction_it_is_made_at_once_and_goes_with_it() -> None:
    writer = Writer()
    writer.go.set()
    with transaction.atomic():
        assert writer.group_commit.commit("a") == "A"
        assert written() == ["a"]
        transaction.set_rollback(True)
    assert written() == []


def _away(*_: object) -> None:
    raise OperationalError("the database is away")


def test_who_was_committed_together_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer()
    with waiting(writer, "a", "b", "c") as asked:
        assert asked["c"].result(SOON_S) == "C"
    monkeypatch.setattr(group_commit, "GATHER_S", SOON_S)
    with ThreadPoolExecutor(3) as pool:
        again = [pool.submit(writer.commit, "d"), pool.submit(writer.commit, "e")]
        while len(writer.group_commit._waiting) < 2:
            sleep(0.001)
        sleep(0.05)
        assert len(writer.groups) == 2, "two of three are not all"
        again.append(pool.submit(writer.commit, "f"))
        assert [future.result(SOON_S) for future in again] == ["D", "E", "F"]
    assert sorted(writer.groups[-1]) == ["d", "e", "f"]


def test_who_comes_alone_is_soon_not_kept_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer()
    with waiting(writer, "a", "b", "c") as asked:
        assert asked["c"].result(SOON_S) == "C"
    for name in ("d", "e"):
        assert writer.commit(name) == name.upper()
    monkeypatch.setattr(group_commit, "GATHER_S", 10 * SOON_S)
    assert writer.commit("f") == "F"
