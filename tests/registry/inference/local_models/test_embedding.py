import math

import pytest

from intmod_site.api.errors import UpstreamTimeout, ValidationFailed
from registry.inference.calls import EmbedCall
from registry.inference.local_models.embedding import CONTEXT_TOKENS, MAX_INPUTS, embed
from registry.inference.local_models.minilm import BATCH_SIZE


def vectors(*texts):
    return embed(EmbedCall(texts), timeout_s=30).vectors


def cosine(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_vectors_have_384_floats_and_unit_length():
    result = embed(EmbedCall(("A cat sits on the mat.", "x")), timeout_s=30)
    assert result.dimension == 384
    assert all(math.isclose(cosine(v, v), 1, abs_tol=1e-5) for v in result.vectors)
    assert all(isinstance(number, float) for number in result.vectors[0])


def test_like_texts_lie_nearer_than_unlike_ones():
    cat, kitten, market = vectors(
        "A cat sleeps on the sofa.",
        "A kitten is napping on the couch.",
        "The central bank raised interest rates.",
    )
    assert cosine(cat, kitten) > 0.6
    assert cosine(cat, market) < 0.2


def test_a_question_finds_its_answer():
    question, *answers = vectors(
        "How do I reset my password?",
        "Open the login page and choose 'forgot password'.",
        "Parcels arrive within three days.",
        "The museum is closed on Mondays.",
    )
    best = max(answers, key=lambda answer: cosine(question, answer))
    assert best is answers[0]


def test_tokens_are_counted_without_padding():
    short = embed(EmbedCall(("hello",)), timeout_s=30).usage
    both = embed(EmbedCall(("hello", "hello " * 100)), timeout_s=30).usage
    # Each text has two tokens more, which mark its start and end.
    assert short.input_tokens == 3
    assert both.input_tokens == 3 + 102
    assert both.output_tokens == 0


def test_results_keep_the_order_of_the_inputs_and_do_not_depend_on_their_batch():
    texts = tuple("word " * (1 + 7 * n % 40) + str(n) for n in range(2 * BATCH_SIZE + 5))
    together = vectors(*texts)
    for index in (0, 1, 31, 32, len(texts) - 1):
        assert cosine(together[index], vectors(texts[index])[0]) > 0.995


def test_no_inputs_give_no_vectors():
    result = embed(EmbedCall(()), timeout_s=30)
    assert result.vectors == []
    assert result.dimension == 0


def test_an_empty_text_has_a_vector_too():
    assert math.isclose(cosine(*vectors("", "")), 1, abs_tol=1e-5)


def test_a_text_may_fill_the_context_but_not_exceed_it():
    fits = "hello " * (CONTEXT_TOKENS - 2)
    assert embed(EmbedCall((fits,)), timeout_s=30).usage.input_tokens == CONTEXT_TOKENS
    with pytest.raises(ValidationFailed) as caught:
        vectors("fine", fits + "more")
    error = caught.value
    assert error.status == 400
    assert error.error_code == "context_length_exceeded"
    assert error.fields[0].path == "/input/1"
    assert "257 tokens" in error.message
    assert "256" in error.message


def test_too_many_inputs_are_refused():
    with pytest.raises(ValidationFailed, match="1001 texts; one call takes at most 1000"):
        vectors(*["x"] * (MAX_INPUTS + 1))


def test_the_deadline_counts_while_computing():
    vectors("loaded")
    with pytest.raises(UpstreamTimeout):
        embed(EmbedCall(("hello world " * 100,) * 300), timeout_s=0.2)
