"""The semaphore behind turns and places: whoever has waited longest is next."""

from concurrent.futures import ThreadPoolExecutor
from random import uniform
from time import sleep

from intmod_site.fair_semaphore import FairSemaphore


def test_a_newcomer_does_not_slip_in_before_those_who_wait() -> None:
    semaphore = FairSemaphore(1)
    assert semaphore.acquire(0)
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(semaphore.acquire, 30)
        while not semaphore.waiting:
            sleep(0.01)
        semaphore.release()
        assert not semaphore.acquire(0)
        assert waits.result(10)


def test_none_is_lost_or_won_where_patience_ends_as_it_is_handed_over() -> None:
    semaphore = FairSemaphore(2)

    def work(_: int) -> bool:
        if not semaphore.acquire(uniform(0, 0.002)):
            return False
        sleep(0.001)
        semaphore.release()
        return True

    with ThreadPoolExecutor(16) as threads:
        entered = list(threads.map(work, range(800)))
    assert True in entered
    assert False in entered
    assert (semaphore.free, semaphore.waiting) == (2, 0)
