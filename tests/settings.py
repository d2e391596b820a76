"""Settings of the test suite: the product's own, with a data folder of its own and no waiting."""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="intmod-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["INTMOD_DATA_DIR"] = _folder
os.environ["INTMOD_ENV"] = "development"
os.environ["FLUSHER_QUEUE_ROWS"] = "0"
os.environ["INTMOD_EXTENSIONS"] = "tests.intmod_site.sample_extension"
if os.environ.get("INTMOD_TEST_DATABASE") == "postgresql":
    from tests.postgres import start

    os.environ["DATABASE_URL"] = start()

from intmod_site.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Threads and processes of a test share its database, so it is a file.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(_folder, "test.sqlite3")}  # noqa: F405, PTH118
