"""Settings of the test suite: the product's own, with a data folder of its own and no waiting."""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="intmod-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
# What the machine sets for the product must not reach its tests: least of all a database.
for _name in (
    "DATABASE_URL", "SECRET_KEY", "JWT_SIGNING_KEYS", "FIELD_ENCRYPTION_KEYS", "AUDIT_KEY",
    "API_KEY_PEPPER", "METRICS_TOKEN", "DEBUG", "LOG_LEVEL", "ALLOWED_HOSTS", "TRUSTED_PROXIES",
    "EGRESS_ALLOWED_NETWORKS", "REQUEST_BODY_LIMIT_BYTES", "PROMETHEUS_MULTIPROC_DIR",
    "AI_CALLS_AT_ONCE", "AI_CALLS_WAITING", "WORKER_BEAT_S", "WORKER_LEASE_S", "WORKER_DRAIN_S",
):  # fmt: skip
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)
os.environ["INTMOD_DATA_DIR"] = _folder
os.environ["INTMOD_ENV"] = "development"
os.environ["FLUSHER_QUEUE_ROWS"] = "0"
os.environ["INTMOD_EXTENSIONS"] = "tests.intmod_site.sample_extension"
if os.environ.get("INTMOD_TEST_DATABASE") == "postgresql":
    from tests.postgres import start

    os.environ["DATABASE_URL"] = start()

from intmod_site.settings import *  # noqa: E402, F403

# Tests log in from one address, many times.
REQUESTS_PER_MINUTE = {}
# Tests change the ring itself.
JWT_SIGNING_KEYS_FILE = None

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Tests read log records by caplog; lines on stderr would stand between pytest's own.
LOGGING["root"]["handlers"] = []  # noqa: F405
# Each client makes the middleware anew; files are looked up when asked for, not all read each time.
WHITENOISE_AUTOREFRESH = True
# Threads and processes of a test share its database, so it is a file.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(_folder, "test.sqlite3")}  # noqa: F405, PTH118
