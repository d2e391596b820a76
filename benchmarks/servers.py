"""The servers under test: ours and LiteLLM's proxy, each one worker before one upstream."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.processes import Running, free_port, running

ROOT = Path(__file__).resolve().parent.parent
QUESTION = [{"role": "user", "content": "Say hello to the world in ten words."}]
LITELLM_KEY = "sk-benchmark"


@dataclass(frozen=True)
class Surface:
    """How a server is asked for one kind of answer.

    Args:
        path: Where.
        body: JSON of the request.
        mark: What only a whole, good answer contains.
    """

    path: str
    body: dict[str, Any]
    mark: str


@dataclass(frozen=True)
class Gateway:
    """A server under test."""

    name: str
    server: Running
    credential: str
    surfaces: dict[str, Surface]


# OpenAI's, which both serve.
COMPLETION = Surface(
    "/v1/chat/completions", {"model": "fake", "messages": QUESTION}, '"finish_reason":"stop"'
)
STREAMED_COMPLETION = Surface(COMPLETION.path, COMPLETION.body | {"stream": True}, "data: [DONE]")
SURFACES = {"plain": COMPLETION, "streamed": STREAMED_COMPLETION}


@contextmanager
def intmod(
    folder: Path, *, upstream_port: int, database_url: str = "", threads: int | None = None
) -> Iterator[Gateway]:
    """Run our server as `manage.py serve` does, with a key and a model that leads upstream.

    Args:
        folder: Takes its data and its log.
        upstream_port: Where the provider listens.
        database_url: Its database; SQLite in the folder if empty.
        threads: Threads of its one worker; the command's own default if None.
    """
    environment = {
        "DJANGO_SETTINGS_MODULE": "intmod_site.settings",
        "INTMOD_DATA_DIR": str(folder / "intmod"),
        "INTMOD_ENV": "development",
        "DATABASE_URL": database_url,
        "EGRESS_ALLOWED_NETWORKS": "127.0.0.0/8",
        # As installed, whatever the shell says: the preparation below leaves the bytecode there.
        "PYTHONDONTWRITEBYTECODE": "",
    }
    prepared = subprocess.run(
        [sys.executable, "-m", "benchmarks.world", f"http://127.0.0.1:{upstream_port}/v1"],
        cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    port = free_port()
    command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(port)]
    if threads is not None:
        command += ["--threads", str(threads)]
    with running(
        command,
        port=port,
        ready_path="/readyz",
        core=machine.SERVER_CORE,
        log=folder / "intmod.log",
        environment=environment,
    ) as server:
        yield Gateway(
            "intmod",
            server,
            json.loads(prepared.stdout.splitlines()[-1])["key"],
            SURFACES,
        )


@contextmanager
def litellm(folder: Path, *, upstream_port: int, venv: Path) -> Iterator[Gateway]:
    """Run LiteLLM's proxy as its documentation advises for production, without its database.

    https://docs.litellm.ai/docs/proxy/prod

    Args:
        folder: Takes its configuration and its log.
        upstream_port: Where the provider listens.
        venv: Virtual environment with `litellm[proxy]`.
    """
    config = folder / "litellm.yaml"
    config.write_text(
        json.dumps({
            "model_list": [{
                "model_name": "fake",
                "litellm_params": {
                    "model": "openai/fake",
                    "api_base": f"http://127.0.0.1:{upstream_port}/v1",
                    "api_key": "sk-upstream",
                },
            }],
            "litellm_settings": {"num_retries": 0, "request_timeout": 30, "telemetry": False},
            "general_settings": {"master_key": LITELLM_KEY},
        })
    )  # fmt: skip
    port = free_port()
    with running(
        [
            str(venv / "bin" / "litellm"), "--config", str(config),
            "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1",
        ],
        port=port,
        ready_path="/health/liveliness",
        core=machine.SERVER_CORE,
        log=folder / "litellm.log",
        environment={
            "LITELLM_LOG": "ERROR",
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
            "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
        },
    ) as server:  # fmt: skip
        yield Gateway(
            "litellm",
            server,
            LITELLM_KEY,
            SURFACES,
        )
