"""From text to the model's tokens and back: byte-level BPE as a GGUF file describes it."""

import codecs
from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers

_CONTROL_TOKEN_TYPE = 3
_SUPPORTED = ("gpt2", "smollm")


class BytePairTokenizer:
    """Splits text into tokens. Control tokens are never made from text, only looked up.

    Args:
        metadata: A GGUF file's; the keys that start with `tokenizer.ggml.` count.

    Raises:
        ValueError: The file describes another kind of tokenizer.
    """

    def __init__(self, metadata: dict[str, Any]) -> None:
        kind = (metadata["tokenizer.ggml.model"], metadata.get("tokenizer.ggml.pre"))
        if kind != _SUPPORTED:
            raise ValueError(f"The tokenizer {kind} is not supported, only {_SUPPORTED}.")
        self._texts: list[str] = metadata["tokenizer.ggml.tokens"]
        types = metadata["tokenizer.ggml.token_type"]
        self.control_tokens = {
            text: token
            for token, (text, kind) in enumerate(zip(self._texts, types, strict=True))
            if kind == _CONTROL_TOKEN_TYPE
        }
        self.end_tokens = frozenset(
            {metadata["tokenizer.ggml.eos_token_id"], self.control_tokens["<|endoftext|>"]}
        )
        self._encoder = _byte_pair_encoder(self._texts, metadata["tokenizer.ggml.merges"])
        self._byte_of = {character: byte for byte, character in _visible_bytes().items()}

    def encode(self, parts: Iterable[str | int]) -> list[int]:
        """Give the tokens of texts and control tokens in order.

        Args:
            parts: Text to split, or a control token's number to take as it is.
        """
        tokens: list[int] = []
        for part in parts:
            if isinstance(part, int):
                tokens.append(part)
            else:
                tokens += self._encoder.encode(part, add_special_tokens=False).ids
        return tokens

    def bytes_of(self, token: int) -> bytes:
        """Give the bytes that a token stands for; control tokens stand for none."""
        text = self._texts[token]
        if text in self.control_tokens:
            return b""
        return bytes(self._byte_of[character] for character in text)


class TextDecoder:
    """Joins the tokens' bytes to text as they come.

    A character may be spread over several tokens: it comes out with the last of them. Bytes that
    can never become a character come out as U+FFFD; those of a character that was not finished
    when the tokens ended do not come out.
    """

    def __init__(self, tokenizer: BytePairTokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token: int) -> str:
        """Give the text that is complete with this token; may be empty."""
        return self._decoder.decode(self._tokenizer.bytes_of(token))


def _byte_pair_encoder(texts: list[str], merges: list[str]) -> Tokenizer:
    pairs = [(left, right) for left, right in (merge.split(" ", 1) for merge in merges)]
    vocabulary = {text: token for token, text in enumerate(texts)}
    encoder = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    encoder.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    return encoder


def _visible_bytes() -> dict[int, str]:
    """Give the visible character by which byte-level BPE writes each byte.

    Printable bytes of Latin-1 stand for themselves, the others are numbered from U+0100 on.
    Source: the GPT-2 encoder, https://github.com/openai/gpt-2/blob/master/src/encoder.py
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(0x100) if byte not in printable)
    return {
        **{byte: chr(byte) for byte in printable},
        **{byte: chr(0x100 + position) for position, byte in enumerate(others)},
    }
