"""How fast the registry is, beside an MLflow server, in alternating rounds.

    python -m benchmarks.registry                            # ours alone
    python -m benchmarks.registry --mlflow ~/venvs/mlflow    # beside MLflow
    python -m benchmarks.registry --search                   # 100,000 versions searched by 3 tags
    python -m benchmarks.registry --search --postgresql      # the same on PostgreSQL

The server under test has one core and one worker, on SQLite; callers have the other. README.md
says what is measured and what came out.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import requests

from benchmarks import machine
from benchmarks.processes import Running, free_port, loaded, running, start_load
from benchmarks.servers import ROOT

BASE = "/api/2.0/mlflow/"
MODELS = 1000
N = "@@@@@@@@"


@dataclass(frozen=True)
class Registry:
    """A server under test; `append` is how it takes one metric."""

    name: str
    server: Running
    credential: str
    append: tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Work:
    """One kind of request; `wrap` keeps its numbers below a limit, 0 makes each of them new."""

    path: str
    body: dict[str, Any] | None
    mark: str
    wrap: int = 0


WORK = {
    "model get": Work(f"{BASE}registered-models/get?name=model-{N}", None, "model-", MODELS),
    "alias get": Work(f"{BASE}registered-models/alias?name=model-00000001&alias=prod", None, "1"),
    "search 100 of 1,000": Work(f"{BASE}registered-models/search?max_results=100", None, "next_"),
    "search 100, another each time": Work(
        f"{BASE}registered-models/search?max_results=100&filter=name+!%3D+%27{N}%27", None, "next_"
    ),
    "metric append": Work("", None, ""),
    "model create": Work(f"{BASE}registered-models/create", {"name": f"new-{N}"}, "new-"),
    "version create": Work(
        f"{BASE}model-versions/create", {"name": f"model-{N}", "source": "s3://b/m"}, "1", MODELS
    ),
    "alias set": Work(
        f"{BASE}registered-models/alias",
        {"name": "model-00000001", "alias": f"a{N}", "version": "1"},
        "{",
    ),
}


@contextmanager
def intmod(folder: Path) -> Iterator[Registry]:
    """Run our server as `manage.py serve` does."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "intmod_site.settings",
        "INTMOD_DATA_DIR": str(folder / "intmod"),
        "INTMOD_ENV": "development",
        "DATABASE_URL": "",
    }
    key = prepared(environment)["key"]
    port = free_port()
    command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(port)]
    with running(
        command, port=port, ready_path="/readyz", core=machine.SERVER_CORE,
        log=folder / "intmod.log", environment=environment,
    ) as server:  # fmt: skip
        fill(server.port, key)
        sample = {"model_id": "model-00000001-1", "metric": "loss", "value": f"=0.{N}"}
        yield Registry("intmod", server, key, ("/api/v1/db/metrics", {"samples": [sample]}))


def prepared(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Prepare a database, and give what was printed."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.registry_world", *arguments],
        cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


@contextmanager
def mlflow(folder: Path, venv: Path) -> Iterator[Registry]:
    """Run an MLflow server with one worker on SQLite, without its job runners."""
    port = free_port()
    command = [
        str(venv / "bin" / "mlflow"), "server",
        "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}",
        "--artifacts-destination", str(folder / "artifacts"),
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--uvicorn-opts", "--log-level error --no-access-log",
    ]  # fmt: skip
    with running(
        command, port=port, ready_path="/health", core=machine.SERVER_CORE,
        log=folder / "mlflow.log",
        environment={
            "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_LOGGING_LEVEL": "ERROR",
            "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
        },
    ) as server:  # fmt: skip
        fill(server.port, "")
        run_id = _mlflow_run(server.port)
        metric = {"run_id": run_id, "key": "loss", "value": 0.5, "timestamp": 1_700_000_000_000}
        append = (f"{BASE}runs/log-metric", metric | {"step": f"=1{N}"})
        yield Registry("mlflow", server, "", append)


def _mlflow_run(port: int) -> str:
    made = post(port, "", "experiments/create", {"name": "benchmark"})
    asked = {"experiment_id": made["experiment_id"], "start_time": 1_700_000_000_000}
    return str(post(port, "", "runs/create", asked)["run"]["info"]["run_id"])


def post(port: int, key: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask either server for something that must succeed."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    url = f"http://127.0.0.1:{port}{BASE}{path}"
    answer = requests.post(url, json=body, headers=headers, timeout=60)
    answer.raise_for_status()
    return dict(answer.json())


def fill(port: int, key: str) -> None:
    """Create 1,000 models with tags, one of them with a version and an alias."""
    tags = [{"key": "task", "value": "text"}, {"key": "framework", "value": "torch"}]
    for index in range(MODELS):
        body = {"name": f"model-{index:08}", "description": "A model. " * 10, "tags": tags}
        post(port, key, "registered-models/create", body)
    name = "model-00000001"
    post(port, key, "model-versions/create", {"name": name, "source": "s3://bucket/m1"})
    post(port, key, "registered-models/alias", {"name": name, "alias": "prod", "version": "1"})


def measure(
    registry: Registry, kind: str, *, callers: int, seconds: float, first: int
) -> dict[str, Any]:
    """Load a server once, and say what its callers saw and what it used."""
    work = WORK[kind]
    path, body = registry.append if kind == "metric append" else (work.path, work.body)
    load = start_load(
        registry.server.port, path, callers=callers, seconds=seconds,
        credential=registry.credential, body=body, mark=work.mark, first=first, wrap=work.wrap,
    )  # fmt: skip
    before = machine.cpu_s(registry.server.pids)
    seen = loaded(load)
    used_s = machine.cpu_s(registry.server.pids) - before
    machine.wait_until_idle(registry.server.pids)
    answered = max(seen["calls"], 1)
    return seen | {"cpu_us": round(used_s / answered * 1e6, 1), "loop_ms": machine.loop_ms()}


def compare(arguments: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Give one row for each round, kind of request and server."""
    rows = []
    with ExitStack() as stack:
        registries = [stack.enter_context(intmod(folder))]
        if arguments.mlflow:
            registries.append(stack.enter_context(mlflow(folder, arguments.mlflow)))
        first = int(time.time()) % 1000 * 10_000
        for number in range(arguments.rounds):
            # Whoever came second comes first in the next round.
            order = registries[:: -1 if number % 2 else 1]
            for kind in arguments.kinds:
                first += 100_000
                for registry in order:
                    row = {"round": number, "kind": kind, "server": registry.name}
                    row |= measure(
                        registry, kind, callers=arguments.callers, seconds=arguments.seconds,
                        first=first,
                    )  # fmt: skip
                    rows.append(row)
                    print(json.dumps(row), flush=True)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Give the medians, and the ratio to MLflow within each round, as Markdown."""
    lines = ["| | intmod req/s | MLflow req/s | ratio | CPU µs |", "|---|---|---|---|---|"]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        of_kind = [row for row in rows if row["kind"] == kind]
        speed = {
            name: [row["calls_per_s"] for row in of_kind if row["server"] == name]
            for name in ("intmod", "mlflow")
        }
        cpu = [row["cpu_us"] for row in of_kind if row["server"] == "intmod"]
        theirs = f"{median(speed['mlflow']):.0f}" if speed["mlflow"] else "-"
        pairs = zip(speed["intmod"], speed["mlflow"], strict=False)
        ratios = [ours / other for ours, other in pairs if other]
        ratio = f"{median(ratios):.1f}" if ratios else "-"
        ours = f"{median(speed['intmod']):.0f}"
        lines.append(f"| {kind} | {ours} | {theirs} | {ratio} | {median(cpu):.0f} |")
    return "\n".join(lines)


def _postgresql() -> str:
    from tests import postgres

    return postgres.start()


def main() -> None:
    """Measure what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mlflow", type=Path, help="virtual environment with mlflow")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--kinds", nargs="+", choices=list(WORK), default=list(WORK))
    parser.add_argument("--search", action="store_true", help="search 100,000 versions instead")
    parser.add_argument("--database-url", default="", help="for --search; SQLite by default")
    parser.add_argument(
        "--postgresql", action="store_true", help="for --search: a PostgreSQL made for it"
    )
    arguments = parser.parse_args()
    print(machine.describe())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.search:
            environment = {
                "DJANGO_SETTINGS_MODULE": "intmod_site.settings",
                "INTMOD_DATA_DIR": name,
                "DATABASE_URL": _postgresql() if arguments.postgresql else arguments.database_url,
            }
            print(json.dumps(prepared(environment, "search")))
            return
        print("\n" + table(compare(arguments, folder)))


if __name__ == "__main__":
    main()
