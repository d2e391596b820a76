"""Write the matrix anew: `python -m tests.authz.matrix`. Read the difference before committing."""

import sys
from pathlib import Path

import pytest

sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", str(Path(__file__).with_name("writing.py"))]))
