from threadpoolctl import threadpool_info

from registry.inference.local_models.llama.blas_threads import BlasThreads, ThreadTuner


def taught(tuner, seconds, steps):
    """Let the tuner pick for some steps that take as long as given; return what it picked."""
    picked = []
    for _ in range(steps):
        threads = tuner.pick()
        picked.append(threads)
        tuner.record(threads, seconds[threads])
    return picked


def test_the_first_choice_is_best_until_all_were_tried():
    tuner = ThreadTuner((1, 2))
    assert tuner.best == 1
    assert taught(tuner, {1: 3.0, 2: 2.0}, 8) == [1, 1, 1, 2, 2, 2, 2, 2]
    assert tuner.best == 2


def test_the_faster_one_is_used_nearly_always():
    picked = taught(ThreadTuner((1, 2)), {1: 3.0, 2: 2.0}, 1000)
    assert picked.count(2) > 970


def test_a_slow_one_is_tried_ever_more_rarely():
    picked = taught(ThreadTuner((1, 2)), {1: 3.0, 2: 20.0}, 1000)
    assert picked[500:].count(2) <= 6


def test_it_notices_soon_when_the_best_one_becomes_slow():
    tuner = ThreadTuner((1, 2))
    taught(tuner, {1: 3.0, 2: 2.0}, 500)
    taught(tuner, {1: 3.0, 2: 20.0}, 7)
    assert tuner.best == 1


def test_it_notices_in_time_when_another_one_becomes_fast():
    tuner = ThreadTuner((1, 2))
    taught(tuner, {1: 3.0, 2: 20.0}, 500)
    taught(tuner, {1: 3.0, 2: 2.0}, 260)
    assert tuner.best == 2


def test_when_all_become_slow_the_best_stays():
    tuner = ThreadTuner((1, 2))
    taught(tuner, {1: 3.0, 2: 2.0}, 200)
    picked = taught(tuner, {1: 30.0, 2: 20.0}, 200)
    assert picked.count(2) > 180


def test_one_slow_step_changes_nothing():
    tuner = ThreadTuner((1, 2))
    taught(tuner, {1: 3.0, 2: 2.0}, 40)
    taught(tuner, {1: 3.0, 2: 40.0}, 1)
    assert set(taught(tuner, {1: 3.0, 2: 2.0}, 5)) == {2}


def test_a_single_choice_is_always_picked():
    assert set(taught(ThreadTuner((1,)), {1: 1.0}, 200)) == {1}


def test_the_setting_ends_with_the_block():
    import numpy as np

    def blas_threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    assert np.ones(3) @ np.ones(3) == 3
    before = blas_threads()
    threads = BlasThreads()
    with threads.best():
        assert set(blas_threads()) <= {1}
    for _ in range(3):
        with threads.measured():
            pass
    assert blas_threads() == before
