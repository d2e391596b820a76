"""The adapter's own logic, with a stand-in for the library, which takes minutes to build."""

import sys
from types import ModuleType

import pytest

from registry.inference.calls import StreamEnd, TextDelta
from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.llama import chat_model
from registry.inference.local_models.llama.plain_conversation import PlainMessage
from registry.inference.local_models.llama.tokenizer import BytePairTokenizer
from registry.inference.local_models.package_files import SMOLLM2_WEIGHTS

ADAPTER = "registry.inference.local_models.llama.llama_cpp_runtime"


class FakeLlama:
    """What the adapter uses of llama_cpp.Llama; gives `answer`, then goes on for ever."""

    answer: list[int] = []

    def __init__(self, model_path, *, n_ctx, verbose):
        self.opened = {"model_path": model_path, "n_ctx": n_ctx, "verbose": verbose}
        self.seeds = []

    def set_seed(self, seed):
        self.seeds.append(seed)

    def generate(self, tokens, *, temp, top_p, top_k, min_p, repeat_penalty):
        self.asked = {"tokens": tokens, "temp": temp, "top_p": top_p}
        self.switched_off = {"top_k": top_k, "min_p": min_p, "repeat_penalty": repeat_penalty}
        yield from self.answer
        while True:
            yield 1234


@pytest.fixture
def model(monkeypatch):
    library = ModuleType("llama_cpp")
    library.Llama = FakeLlama
    monkeypatch.setitem(sys.modules, "llama_cpp", library)
    monkeypatch.delitem(sys.modules, ADAPTER, raising=False)
    yield chat_model.ChatModel(SMOLLM2_WEIGHTS, name="m", context_tokens=512)
    sys.modules.pop(ADAPTER, None)


@pytest.fixture
def generate(model, model_file, ask, monkeypatch):
    tokenizer = BytePairTokenizer(model_file.metadata)

    def run(answer, **options):
        monkeypatch.setattr(FakeLlama, "answer", tokenizer.encode(answer))
        call = ask(**options)
        *deltas, end = model.generate(call, [PlainMessage("user", "Hi")], Deadline(10))
        assert all(isinstance(delta, TextDelta) for delta in deltas)
        assert isinstance(end, StreamEnd)
        return "".join(delta.text for delta in deltas), end

    return run


def test_it_is_used_where_it_can_be_imported(model):
    llama = model._runtime._llama
    assert llama.opened == {
        "model_path": str(SMOLLM2_WEIGHTS.locate()),
        "n_ctx": 512,
        "verbose": False,
    }


def test_an_end_token_is_the_finish_reason_stop(generate):
    text, end = generate(["Bonjour !", 2], max_tokens=20)
    assert text == "Bonjour !"
    assert end.finish_reason == "stop"


def test_max_tokens_is_the_finish_reason_length(generate):
    _, end = generate(["one two three four"], max_tokens=3)
    assert end.finish_reason == "length"
    assert end.usage.output_tokens == 3


def test_a_stop_text_across_tokens_is_the_finish_reason_stop(generate):
    text, end = generate(["one two three four"], max_tokens=20, stop=("o thr",))
    assert text == "one tw"
    assert end.finish_reason == "stop"


def test_sampling_is_passed_on_and_its_extras_are_off(generate, model):
    generate(["x", 2], temperature=0.7, top_p=0.5, seed=3)
    generate(["x", 2], temperature=0.7, top_p=0.5, seed=3)
    generate(["x", 2])
    llama = model._runtime._llama
    assert llama.seeds[0] == llama.seeds[1] != llama.seeds[2]
    assert llama.asked["temp"] == 0
    assert llama.asked["tokens"][0] == 1
    assert llama.switched_off == {"top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0}
