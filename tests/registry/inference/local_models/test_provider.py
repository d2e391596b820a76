import pytest

from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import (
    AnalyzeCall,
    AnalyzeResult,
    ChatResult,
    ClassifyCall,
    ClassifyResult,
    EmbedCall,
    EmbedResult,
    Label,
    StreamEnd,
)
from registry.inference.providers.local import LOCAL_MODELS, LocalProvider

EMBEDDER, WRITER, ANALYST = "minilm-l6-v2-int8", "smollm2-135m-instruct", "text-analysis"


@pytest.fixture
def provider():
    return LocalProvider()


def test_every_task_has_exactly_one_model():
    tasks = sorted(task for model in LOCAL_MODELS.values() for task in model.tasks)
    assert tasks == ["analyze", "chat", "classify", "code", "embed", "generate"]


def test_it_says_what_a_model_can_do(provider):
    assert provider.tasks_of(EMBEDDER) == {"embed", "classify"}
    assert provider.tasks_of("unheard-of") == frozenset()


@pytest.mark.parametrize(
    ("call", "model", "kind"),
    [
        (EmbedCall(("hello",)), EMBEDDER, EmbedResult),
        (ClassifyCall(("hello",), (Label("a"), Label("b"))), EMBEDDER, ClassifyResult),
        (AnalyzeCall("hello", ("language",)), ANALYST, AnalyzeResult),
    ],
)
def test_each_call_finds_its_model(provider, call, model, kind):
    assert isinstance(provider.run(call, model=model, timeout_s=60), kind)


def test_a_conversation_is_answered_whole_or_in_pieces(provider, ask):
    call = ask(max_tokens=2)
    assert isinstance(provider.run(call, model=WRITER, timeout_s=60), ChatResult)
    assert isinstance(list(provider.stream(call, model=WRITER, timeout_s=60))[-1], StreamEnd)


@pytest.mark.parametrize("model", [WRITER, ANALYST, "unheard-of"])
def test_a_model_is_not_asked_for_what_it_cannot_do(provider, model):
    with pytest.raises(ValidationFailed, match=model):
        provider.run(EmbedCall(("hello",)), model=model, timeout_s=60)
