import numpy as np
import pytest

from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.language_model import smollm2_slot
from registry.inference.local_models.llama import numpy_llama
from registry.inference.local_models.llama.sampling import Sampler

PROMPT = list(range(1000, 1020))


@pytest.fixture
def runtime(_installed_models):
    with smollm2_slot.use(Deadline(60)) as model:
        if not isinstance(model._runtime, numpy_llama.NumpyLlama):
            pytest.skip("llama-cpp-python is installed and serves instead")
        yield model._runtime


def logits_of(runtime, *reads):
    conversation = numpy_llama.Conversation(runtime._shape, 64)
    with runtime._threads.best():
        for tokens in reads:
            logits = runtime._read(tokens, conversation)
    return logits


def test_scores_are_float32_throughout(runtime):
    assert logits_of(runtime, PROMPT).dtype == np.float32
    assert logits_of(runtime, PROMPT).shape == (49152,)


def test_the_cache_gives_what_reading_all_at_once_gives(runtime):
    at_once = logits_of(runtime, PROMPT)
    one_by_one = logits_of(runtime, *[[token] for token in PROMPT])
    assert np.allclose(at_once, one_by_one, atol=1e-2)


def test_chunks_give_what_one_piece_gives(runtime, monkeypatch):
    whole = logits_of(runtime, PROMPT)
    monkeypatch.setattr(numpy_llama, "_CHUNK", 7)
    assert np.allclose(whole, logits_of(runtime, PROMPT), atol=1e-2)


def test_positions_count(runtime):
    assert not np.allclose(
        logits_of(runtime, PROMPT), logits_of(runtime, [*PROMPT[:-1][::-1], PROMPT[-1]])
    )


def test_conversations_are_independent(runtime):
    def tokens(prompt):
        return runtime.tokens(prompt, max_tokens=4, sampler=Sampler())

    alone = list(tokens(PROMPT))
    one, other = tokens(PROMPT), tokens(PROMPT[:5])
    mixed = [token for pair in zip(one, other, strict=True) for token in pair][::2]
    assert mixed == alone


def test_no_more_tokens_than_asked_for(runtime):
    assert len(list(runtime.tokens(PROMPT, max_tokens=3, sampler=Sampler()))) == 3
