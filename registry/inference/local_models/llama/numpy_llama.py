"""A Llama model's arithmetic in NumPy: needs no compiler, and is as fast as memory is.

Each token takes one pass over all weights, 540 MB: 26 tokens a second at 14 GB/s, 55 at 30.

Everything stays float32: one float64 scalar among the operands, such as np.sqrt of an int makes,
would promote all of it and cost a factor of 20.

Source: Llama 2, https://arxiv.org/abs/2307.09288 (RMSNorm, rotary positions, grouped-query
attention, SwiGLU).
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from registry.inference.local_models.llama.blas_threads import BlasThreads
from registry.inference.local_models.llama.gguf_file import GgufFile, Weights
from registry.inference.local_models.llama.llama_weights import Layer, Shape, by_input
from registry.inference.local_models.llama.sampling import Sampler

# Prompts are read in chunks: attention's memory is this many times the prompt's length.
_CHUNK = 256

# For each position and pair of floats, the turn that it gives as a complex number.
Turns: TypeAlias = npt.NDArray[np.complex64]


class Conversation:
    """The keys and values of the tokens read so far, for each layer.

    Args:
        shape: The model's measures.
        capacity: Tokens that can be read in all.
    """

    def __init__(self, shape: Shape, capacity: int) -> None:
        size = (shape.layers, shape.kv_heads, capacity, shape.head_width)
        self.keys: Weights = np.empty(size, dtype=np.float32)
        self.values: Weights = np.empty(size, dtype=np.float32)
        self.length = 0


class NumpyLlama:
    """The loaded model. Conversations are independent of each other.

    Args:
        file: The model's file; it is not needed after this.
        context_length: Tokens that a conversation may have.
    """

    def __init__(self, file: GgufFile, *, context_length: int) -> None:
        self._shape = Shape.of(file.metadata)
        self._embeddings = by_input(file.read("token_embd.weight"))
        self._layers = [Layer.read(file, index) for index in range(self._shape.layers)]
        self._output_norm = file.read("output_norm.weight")
        self._threads = BlasThreads()
        self._rotations = _rotations(self._shape, context_length)

    def tokens(self, prompt: list[int], *, max_tokens: int, sampler: Sampler) -> Iterator[int]:
        """Continue a prompt, token by token; end tokens are given like any other.

        Args:
            prompt: Tokens, at least one.
            max_tokens: Tokens to give at most.
            sampler: Chooses each token.
        """
        conversation = Conversation(self._shape, len(prompt) + max_tokens)
        with self._threads.best():
            logits = self._read(prompt, conversation)
        for remaining in range(max_tokens - 1, -1, -1):
            token = sampler.choose(logits)
            yield token
            if remaining:
                with self._threads.measured():
                    logits = self._read([token], conversation)

    def _read(self, tokens: list[int], conversation: Conversation) -> Weights:
        """Read tokens and give the scores of what may follow them."""
        for start in range(0, len(tokens), _CHUNK):
            last = self._read_chunk(tokens[start : start + _CHUNK], conversation)
        return self._norm(last, self._output_norm) @ self._embeddings

    def _read_chunk(self, tokens: list[int], conversation: Conversation) -> Weights:
        state = self._embeddings[:, tokens].T
        for index, layer in enumerate(self._layers):
            state = state + self._attend(index, state, conversation)
            state = state + _feed(layer, self._norm(state, layer.feed_norm))
        conversation.length += len(tokens)
        return state[-1]

    def _attend(self, index: int, state: Weights, conversation: Conversation) -> Weights:
        """Mix into each new token what it takes from the tokens up to itself."""
        shape, layer = self._shape, self._layers[index]
        count, start = len(state), conversation.length
        end = start + count
        projected = self._norm(state, layer.attention_norm) @ layer.query_key_value
        heads = projected.reshape(count, -1, shape.head_width).transpose(1, 0, 2)
        first_key, first_value = shape.heads, shape.heads + shape.kv_heads
        rotated = _rotate(heads[:first_value], self._rotations[start:end])
        conversation.keys[index, :, start:end] = rotated[first_key:]
        conversation.values[index, :, start:end] = heads[first_value:]

        # Several query heads share one key head: they stand below each other in one product.
        queries = rotated[:first_key].reshape(shape.kv_heads, -1, shape.head_width)
        keys = conversation.keys[index, :, :end]
        scores = (queries @ keys.transpose(0, 2, 1)) * np.float32(shape.head_width**-0.5)
        if count > 1:
            scores = scores.reshape(shape.kv_heads, -1, count, end) + _future_mask(count, end)
        shares = _softmax(scores).reshape(shape.kv_heads, -1, end)
        mixed = shares @ conversation.values[index, :, :end]
        mixed = mixed.reshape(shape.heads, count, shape.head_width).transpose(1, 0, 2)
        return mixed.reshape(count, shape.width) @ layer.attention_output

    def _norm(self, state: Weights, weights: Weights) -> Weights:
        mean_square = (state * state).mean(axis=-1, keepdims=True)
        return state / np.sqrt(mean_square + self._shape.epsilon) * weights


def _feed(layer: Layer, state: Weights) -> Weights:
    gate, up = np.split(state @ layer.gate_up, 2, axis=-1)
    # Bounded, so that exp cannot overflow; beyond -80 the gate is closed to the last bit anyway.
    opening = np.float32(1) + np.exp(-np.maximum(gate, np.float32(-80)))
    return (gate / opening * up) @ layer.down


def _softmax(scores: Weights) -> Weights:
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores


def _future_mask(count: int, end: int) -> Weights:
    """Give what keeps each of the last `count` tokens from looking at later ones."""
    mask: Weights = np.full((count, end), -np.inf, dtype=np.float32)
    return np.triu(mask, k=end - count + 1)


def _rotations(shape: Shape, context_length: int) -> Turns:
    """Give the turn of each pair of floats at each position, as complex numbers."""
    pairs = np.arange(0, shape.head_width, 2) / shape.head_width
    angles = np.outer(np.arange(context_length), shape.rope_base**-pairs)
    return np.exp(1j * angles).astype(np.complex64)


def _rotate(heads: Weights, rotations: Turns) -> Weights:
    """Turn each pair of neighbouring floats by its position's angle."""
    return (np.ascontiguousarray(heads).view(np.complex64) * rotations).view(np.float32)
