"""Importing the project loads no AI library: a web process without local models stays small."""

import subprocess
import sys

LIBRARIES = ("numpy", "onnxruntime", "tokenizers", "llama_cpp", "gguf", "fasttext", "torch")


def test_the_web_application_loads_no_ai_library() -> None:
    code = (
        "import sys; from django.core.management import execute_from_command_line; "
        "import intmod_site.wsgi; from django.urls import get_resolver; "
        "assert get_resolver().url_patterns; "
        f"print([name for name in {LIBRARIES} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_the_web_application_loads_no_library_that_it_does_not_use() -> None:
    code = (
        "import sys; import intmod_site.wsgi; from django.urls import get_resolver; "
        "assert get_resolver().url_patterns; from django.conf import settings; "
        "on_postgresql = settings.DATABASES['default']['ENGINE'].endswith('postgresql'); "
        "assert ('psycopg' in sys.modules) == on_postgresql; "
        "assert 'requests' not in sys.modules; "
        "assert 'cryptography.x509.name' not in sys.modules; "
        # Who wants them later gets them.
        "import requests, psycopg; from jwt.algorithms import has_crypto, x509; "
        "assert has_crypto and x509.load_pem_x509_certificate; print('done')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "done", done.stderr


def test_a_web_process_enqueues_jobs_without_the_engine() -> None:
    """Reading the settings, the URL map and what enqueues loads nothing that executes jobs."""
    code = (
        "import sys; import intmod_site.wsgi; from django.urls import get_resolver; "
        "assert get_resolver().url_patterns; import integrations.engine.enqueue; "
        "import integrations.engine.jobs, integrations.engine.schema; "
        "print([name for name in ('dbos', 'sqlalchemy', 'greenlet') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_tokens_are_signed_and_read_without_what_loads_lazily() -> None:
    """Two first logins at the same moment met a half-loaded module, and one was a 500."""
    code = (
        "import sys; import intmod_site.wsgi; from authz.identity.tokens import AccessToken; "
        "token = AccessToken(); token['sub'] = 'x'; AccessToken(str(token)); "
        "assert 'cryptography.x509.name' not in sys.modules; print('done')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "done", done.stderr


def test_garbage_is_collected_once_the_application_is_loaded() -> None:
    code = (
        "import gc; import intmod_site.wsgi; "
        "assert gc.isenabled() and gc.get_freeze_count() > 10_000; print('done')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "done", done.stderr
