"""Turns: few at a time, first come first served, and nobody waits for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

from django.db import connection

from intmod_site.turns import Turns, _writing, turn_to_write


def test_no_more_than_so_many_at_once() -> None:
    turns, lock, counts = Turns(at_once=3, patience_s=30), threading.Lock(), []
    inside = 0

    def work() -> None:
        nonlocal inside
        with turns.taken():
            with lock:
                inside += 1
                counts.append(inside)
            sleep(0.002)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(20) as threads:
        for _ in range(100):
            threads.submit(work)
    assert len(counts) == 100
    assert max(counts) == 3


def test_a_turn_that_was_ended_is_the_next_ones() -> None:
    turns = Turns(at_once=1, patience_s=30)
    with turns.taken(), ThreadPoolExecutor(1) as threads:
        turns.end()
        began = monotonic()
        threads.submit(lambda: turns.taken().__enter__()).result()
        turns.end()  # not this thread's any more
        assert monotonic() - began < 10


def test_they_come_in_the_order_in_which_they_asked() -> None:
    turns, order = Turns(at_once=1, patience_s=30), []

    def work(number: int) -> None:
        with turns.taken():
            order.append(number)

    with turns.taken():
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
            sleep(0.1)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_who_waited_too_long_goes_on_without() -> None:
    turns = Turns(at_once=1, patience_s=0.02)

    def work() -> bool:
        with turns.taken():
            return True

    with turns.taken(), ThreadPoolExecutor(2) as threads:
        assert [each.result(10) for each in [threads.submit(work) for _ in range(4)]] == [True] * 4
    with turns.taken():
        turns.end()
        turns.end()
    assert turns._free.free == 1, "none was lost or won"


def test_writers_take_turns_where_the_database_has_one_lock() -> None:
    for _ in range(2):
        with turn_to_write():
            assert _writing._free.free == (0 if connection.vendor == "sqlite" else 1)
        assert _writing._free.free == 1


def test_who_has_a_turn_does_not_wait_for_themselves() -> None:
    turns = Turns(at_once=1, patience_s=30)
    began = monotonic()
    with turns.taken(), turns.taken():
        pass
    with turns.taken(), ThreadPoolExecutor(1) as threads:
        turns.end()
        threads.submit(lambda: turns.taken().__enter__()).result()
    assert monotonic() - began < 10
