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
    assert taught(tuner, {1: 3.0, 2: 2.0}, 3) == [1, 2, 2]


def test_the_faster_one_is_used_nearly_always():
    picked = taught(ThreadTuner((1, 2)), {1: 3.0, 2: 2.0}, 1000)
    assert picked.count(2) > 980


def test_it_notices_when_the_other_one_becomes_faster_and_when_it_does_not_any_more():
    tuner = ThreadTuner((1, 2))
    taught(tuner, {1: 3.0, 2: 2.0}, 200)
    taught(tuner, {1: 3.0, 2: 20.0}, 5)
    assert tuner.best == 1
    taught(tuner, {1: 3.0, 2: 2.0}, 2000)
    assert tuner.best == 2


def test_one_slow_step_changes_little():
    tuner = ThreadTuner((1, 2))
    taught(tuner, {1: 3.0, 2: 2.0}, 200)
    tuner.record(2, 4.0)
    assert tuner.best == 2


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
