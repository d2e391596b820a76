"""The same model run by llama.cpp, two to three times as fast, where it is installed.

Source: https://llama-cpp-python.readthedocs.io/en/latest/api-reference/ (Llama, Llama.generate).
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from llama_cpp import Llama

from registry.inference.local_models.llama.sampling import Sampler

_SEED_LIMIT = 2**31


class LlamaCpp:
    """The loaded model. Two threads in it at once abort the process.

    Args:
        path: The model's file.
        context_length: Tokens that a conversation may have.
    """

    def __init__(self, path: Path, *, context_length: int) -> None:
        self._llama = Llama(str(path), n_ctx=context_length, verbose=False)

    def tokens(self, prompt: list[int], *, max_tokens: int, sampler: Sampler) -> Iterator[int]:
        """Continue a prompt as NumpyLlama.tokens does."""
        # llama.cpp starts from the same seed at every call unless it is given another.
        self._llama.set_seed(int(sampler.random.integers(_SEED_LIMIT)))
        # The defaults of the sampling that the NumPy runtime does not do are switched off.
        endless = self._llama.generate(
            prompt,
            temp=sampler.temperature,
            top_p=sampler.top_p,
            top_k=0,
            min_p=0.0,
            repeat_penalty=1.0,
        )
        yield from islice(endless, max_tokens)
