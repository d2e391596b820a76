"""all-MiniLM-L6-v2, quantized to int8, run by onnxruntime.

Import this module only to load the model: it imports the runtime.

Source: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0): mean of the
last layer over a text's tokens, scaled to unit length; trained on up to 256 tokens.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Encoding, Tokenizer

from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.package_files import MINILM_MODEL, MINILM_TOKENIZER

DIMENSION = 384
BATCH_SIZE = 32

Vector: TypeAlias = npt.NDArray[np.float32]
Vectors: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tokenized:
    """Texts as the model reads them."""

    encodings: list[Encoding]

    @property
    def lengths(self) -> list[int]:
        """Tokens of each text, with the two that mark its start and end."""
        return [len(encoding.ids) for encoding in self.encodings]


class MiniLM:
    """The loaded model. Not for two threads at once."""

    def __init__(self) -> None:
        self._tokenizer = Tokenizer.from_file(str(MINILM_TOKENIZER.locate()))
        # The file asks for padding and silent truncation; here neither must happen by itself.
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        options = onnxruntime.SessionOptions()
        # Its threads would keep cores busy while they wait for the next call; others need these.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(MINILM_MODEL.locate()), options, providers=["CPUExecutionProvider"]
        )

    def tokenize(self, texts: list[str], *, truncate_to: int | None = None) -> Tokenized:
        """Split texts into tokens.

        Args:
            texts: What to split.
            truncate_to: Tokens beyond which a text is cut off; without it, none is.
        """
        encodings = self._tokenizer.encode_batch(texts)
        if truncate_to is not None:
            for encoding in encodings:
                encoding.truncate(truncate_to)
        return Tokenized(encodings)

    def embed(self, texts: Tokenized, deadline: Deadline) -> Vectors:
        """Place texts in the vector space.

        Args:
            texts: None longer than the model's context.
            deadline: Checked before each batch.

        Returns:
            float32 of shape (texts, DIMENSION); each row has unit length.

        Raises:
            UpstreamTimeout: The deadline passed.
        """
        vectors: Vectors = np.empty((len(texts.encodings), DIMENSION), dtype=np.float32)
        lengths = texts.lengths
        # Texts of like length share a batch, so that little of it is padding.
        by_length = sorted(range(len(lengths)), key=lengths.__getitem__)
        for start in range(0, len(by_length), BATCH_SIZE):
            deadline.check()
            batch = by_length[start : start + BATCH_SIZE]
            vectors[batch] = self._embed_batch([texts.encodings[index].ids for index in batch])
        return vectors

    def _embed_batch(self, token_ids: list[list[int]]) -> Vectors:
        shape = (len(token_ids), max(map(len, token_ids)))
        ids: npt.NDArray[np.int64] = np.zeros(shape, dtype=np.int64)
        mask: npt.NDArray[np.int64] = np.zeros(shape, dtype=np.int64)
        for row, tokens in enumerate(token_ids):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        last_layer = self._session.run(None, inputs)[0]
        # A mean's divisor does not matter: the sum is scaled to unit length anyway.
        summed = (last_layer * mask[:, :, None].astype(np.float32)).sum(axis=1)
        return summed / np.linalg.norm(summed, axis=1, keepdims=True)
