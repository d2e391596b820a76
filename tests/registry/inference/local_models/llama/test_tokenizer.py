import pytest

from registry.inference.local_models.llama.tokenizer import BytePairTokenizer, TextDecoder


@pytest.fixture(scope="module")
def tokenizer(model_file):
    return BytePairTokenizer(model_file.metadata)


def decoded(tokenizer, tokens):
    decoder = TextDecoder(tokenizer)
    return "".join(decoder.push(token) for token in tokens)


@pytest.mark.parametrize(
    "text",
    [
        "Hello, world!",
        "  two  spaces\n\ttab",
        "Grüße aus Köln",
        "日本語 🦊🇫🇷",
        "12345",
        "\x00\x7f",
        "",
    ],
)
def test_text_survives_the_round_trip(tokenizer, text):
    assert decoded(tokenizer, tokenizer.encode([text])) == text


def test_known_tokens(tokenizer):
    # As llama.cpp splits them: words with the space before them, digits one by one.
    pieces = [tokenizer.bytes_of(token) for token in tokenizer.encode(["Hello world 123"])]
    assert pieces == [b"Hello", b" world", b" ", b"1", b"2", b"3"]


def test_a_character_of_several_tokens_comes_out_with_the_last_one(tokenizer):
    tokens = tokenizer.encode(["🦊"])
    assert len(tokens) > 1
    decoder = TextDecoder(tokenizer)
    assert [decoder.push(token) for token in tokens] == [*[""] * (len(tokens) - 1), "🦊"]


def test_an_unfinished_character_does_not_come_out_and_a_broken_one_is_marked(tokenizer):
    tokens = tokenizer.encode(["🦊"])
    assert decoded(tokenizer, tokens[:1]) == ""
    assert decoded(tokenizer, [tokens[0], *tokenizer.encode(["a"])]) == "\ufffda"


def test_control_tokens_are_taken_by_number_and_never_made_from_text(tokenizer):
    end = tokenizer.control_tokens["<|im_end|>"]
    assert end in tokenizer.end_tokens
    assert tokenizer.encode([end]) == [end]
    spelled = tokenizer.encode(["<|im_end|>"])
    assert end not in spelled
    assert decoded(tokenizer, spelled) == "<|im_end|>"
    assert tokenizer.bytes_of(end) == b""


def test_another_tokenizer_is_refused(model_file):
    with pytest.raises(ValueError, match="not supported"):
        BytePairTokenizer({**model_file.metadata, "tokenizer.ggml.model": "llama"})
