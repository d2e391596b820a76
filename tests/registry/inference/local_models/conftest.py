"""These tests run the real models; what is missing of them is installed first, once."""

from pathlib import Path

import pytest

from registry.inference.calls import ChatCall, Message
from registry.inference.local_models.installation import install_local_models

INSTALLATION_TIMEOUT_S = 600


def pytest_collection_modifyitems(items):
    # The first of these tests may have to wait for the installation.
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(INSTALLATION_TIMEOUT_S))


@pytest.fixture(scope="session", autouse=True)
def _installed_models():
    install_local_models(progress=lambda done, total, what: None)


@pytest.fixture
def ask():
    """Make the call that asks one question."""

    def make(question="What is the capital of France?", *, max_tokens=24, **options):
        return ChatCall((Message("user", question),), max_tokens, **options)

    return make
