from collections import Counter

import numpy as np
import pytest

from registry.inference.local_models.llama.sampling import Sampler, nucleus

LOGITS = np.log(np.array([0.1, 0.5, 0.3, 0.06, 0.04], dtype=np.float32))


def test_without_temperature_the_best_token_is_taken():
    assert Sampler().choose(LOGITS) == 1
    assert Sampler(temperature=0).choose(LOGITS) == 1


def test_hardly_any_temperature_is_none():
    for temperature in (1e-5, 1e-9, 1e-320):
        assert Sampler(temperature=temperature).choose(LOGITS) == 1


@pytest.mark.parametrize(
    ("top_p", "tokens"), [(0.4, [1]), (0.6, [1, 2]), (0.85, [1, 2, 0]), (1, 5)]
)
def test_the_nucleus_is_the_fewest_tokens_with_that_share(top_p, tokens):
    probabilities = np.exp(LOGITS.astype(np.float64))
    found = nucleus(probabilities / probabilities.sum(), top_p).tolist()
    assert found == tokens or len(found) == tokens


def test_chances_are_the_probabilities():
    sampler = Sampler(temperature=1, top_p=1, seed=1)
    counted = Counter(sampler.choose(LOGITS) for _ in range(2000))
    assert abs(counted[1] / 2000 - 0.5) < 0.05
    assert abs(counted[2] / 2000 - 0.3) < 0.05


def test_only_the_nucleus_is_chosen_from():
    sampler = Sampler(temperature=2, top_p=0.6, seed=1)
    assert {sampler.choose(LOGITS) for _ in range(200)} == {1, 2}


def test_temperature_evens_chances_out():
    def best_share(temperature):
        sampler = Sampler(temperature=temperature, top_p=1, seed=1)
        return Counter(sampler.choose(LOGITS) for _ in range(500))[1]

    assert best_share(0.3) > best_share(1) > best_share(2)


@pytest.mark.parametrize("temperature", [1e-9, 1e-3, 100])
def test_extreme_temperatures_do_not_overflow(temperature):
    logits = np.array([-1e4, 0, 1e4], dtype=np.float32)
    assert Sampler(temperature=temperature, seed=1).choose(logits) == 2


def test_the_same_seed_chooses_the_same():
    def chosen(seed):
        sampler = Sampler(temperature=1, seed=seed)
        return [sampler.choose(LOGITS) for _ in range(20)]

    assert chosen(-5) == chosen(-5)
    assert chosen(None) != chosen(None)
