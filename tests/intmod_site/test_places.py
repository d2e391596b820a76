"""Places: so many and no more, and a moment to wait for one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import pytest

from intmod_site.api.errors import ServiceUnavailable
from intmod_site.places import Places
from intmod_site.server import for_waiting, kept_back, server_command, server_environment


def test_who_finds_no_place_is_told_to_come_again() -> None:
    places = Places(2)
    with places.taken(), places.taken(), pytest.raises(ServiceUnavailable) as refused:
        places.taken().__enter__()
    assert (refused.value.error_code, refused.value.retry_after_s) == ("overloaded", 1)
    with places.taken(), places.taken():
        pass


def test_without_a_number_there_is_no_bound() -> None:
    places = Places(0)
    with places.taken(), places.taken(), places.taken():
        pass


def enter(places: Places, order: list[int], number: int) -> None:
    with places.taken():
        order.append(number)


def test_who_may_wait_gets_the_next_place_in_the_order_of_coming() -> None:
    places, order = Places(1, waiting=3, patience_s=30), []
    with ThreadPoolExecutor(3) as threads:
        with places.taken():
            asked = []
            for number in range(3):
                asked.append(threads.submit(enter, places, order, number))
                sleep(0.1)
            assert order == []
        for each in asked:
            each.result(10)
    assert order == [0, 1, 2]


def test_who_waited_in_vain_is_refused_and_keeps_nothing() -> None:
    places = Places(1, waiting=1, patience_s=0.05)
    with places.taken():
        began = monotonic()
        with pytest.raises(ServiceUnavailable):
            places.taken().__enter__()
        assert monotonic() - began >= 0.05
    with places.taken():
        pass


def test_no_more_wait_than_may() -> None:
    places, order = Places(1, waiting=1, patience_s=30), []
    with ThreadPoolExecutor(1) as threads:
        with places.taken():
            waits = threads.submit(enter, places, order, 1)
            sleep(0.1)
            began = monotonic()
            with pytest.raises(ServiceUnavailable):
                places.taken().__enter__()
            assert monotonic() - began < 10
        waits.result(10)
    assert order == [1]


@pytest.mark.parametrize(
    ("threads", "kept"), [(1, 0), (2, 1), (3, 2), (8, 2), (64, 8), (288, 32), (1000, 32)]
)
def test_some_threads_are_kept_back(threads: int, kept: int) -> None:
    assert kept_back(threads) == kept


@pytest.mark.parametrize(("said", "waiting"), [("", 32), ("200", 200), ("0", 0)])
def test_who_waits_takes_no_thread_of_those_that_are_kept_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, waiting: int
) -> None:
    monkeypatch.setenv("AI_CALLS_WAITING", said)
    monkeypatch.setattr("intmod_site.server.metrics_folder", lambda: tmp_path / "metrics")
    command = server_command(host="127.0.0.1", port=1, workers=1, threads=64)
    environment = server_environment(threads=64)
    started = int(command[command.index("--blocking-threads") + 1])
    held = int(environment["AI_CALLS_AT_ONCE"]) + int(environment["AI_CALLS_WAITING"])
    assert started - held == kept_back(64)
    assert int(environment["AI_CALLS_WAITING"]) == for_waiting(64) == waiting
