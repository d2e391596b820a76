import pytest

from registry.inference.local_models.llama.gguf_file import GgufFile
from registry.inference.local_models.package_files import SMOLLM2_WEIGHTS


@pytest.fixture(scope="session")
def model_file(_installed_models):
    return GgufFile(SMOLLM2_WEIGHTS.locate())
