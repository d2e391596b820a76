"""What `import_mlflow` takes over of a real MLflow server.

The answers in `recorded_mlflow/` are MLflow 3.17.2's own, as it gave them for what `fill` makes.
The slow test asks a server that it starts itself, where one is installed.
"""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.core.management import call_command

from authz.models import Project
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from tests.integrations.http.test_connections import free_port

pytestmark = pytest.mark.django_db

RECORDED = Path(__file__).parent / "recorded_mlflow"
ROUTES = {
    "/api/2.0/mlflow/model-versions/search": "model_versions",
    "/api/2.0/mlflow/registered-models/search": "registered_models",
}
START_TIMEOUT_S = 300


class Replay(BaseHTTPRequestHandler):
    """Gives what was recorded, one row a page, so that every page is asked for."""

    def do_GET(self) -> None:
        """Answer."""
        asked = urlsplit(self.path)
        kind = ROUTES[asked.path]
        place = int(parse_qs(asked.query).get("page_token", ["0"])[0])
        rows = recorded(kind)
        page: dict[str, Any] = {kind: rows[place : place + 1]}
        if place + 1 < len(rows):
            page["next_page_token"] = str(place + 1)
        body = json.dumps(page).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- http.server's name
        """Say nothing."""


def recorded(kind: str) -> list[dict[str, Any]]:
    name = kind.replace("_", "-")
    return list(json.loads((RECORDED / f"{name}.json").read_text())[kind])


@pytest.fixture
def replayed() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Replay)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with closing(server.socket):
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def said_by(url: str, *more: str) -> str:
    output = StringIO()
    call_command("import_mlflow", url, "--project", "shop", *more, stdout=output)
    return output.getvalue().splitlines()[-1]


def check_taken_over(models: list[dict[str, Any]], versions: list[dict[str, Any]]) -> None:
    """Compare the catalog with what the server says of it."""
    there = {row.name: row for row in RegisteredModel.objects.existing()}
    assert set(there) == {row["name"] for row in models}
    for row in models:
        assert milliseconds(there[row["name"]].created_at) == row["creation_timestamp"]
        assert there[row["name"]].description == row.get("description", "")
        assert there[row["name"]].tags == tags_of(row)
        aliases = ModelAlias.objects.filter(model=there[row["name"]])
        assert {(alias.name, str(alias.version.number)) for alias in aliases} == {
            (alias["alias"], alias["version"]) for alias in row.get("aliases", [])
        }
    found = {(row.model.name, str(row.number)): row for row in ModelVersion.objects.all()}
    assert set(found) == {(row["name"], row["version"]) for row in versions}
    for row in versions:
        version = found[row["name"], row["version"]]
        assert milliseconds(version.created_at) == row["creation_timestamp"]
        assert milliseconds(version.updated_at) == row["last_updated_timestamp"]
        assert version.tags == tags_of(row)
        assert version.stage == row["current_stage"]
        assert version.source == row["source"]
        assert version.run_id == row.get("run_id", "")
        assert version.description == row.get("description", "")
        assert version.status == row["status"]


def tags_of(row: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in row.get("tags", [])}


def milliseconds(moment: Any) -> int:
    return round(moment.timestamp() * 1000)


def test_a_recorded_server(project: Project, replayed: str) -> None:
    models, versions = recorded("registered_models"), recorded("model_versions")
    total = len(models) + len(versions)
    assert said_by(replayed, "--dry-run").endswith(f"{total}, unchanged 0")
    assert not RegisteredModel.objects.exists()
    assert said_by(replayed) == f"Created {total}, unchanged 0"
    check_taken_over(models, versions)
    numbers = ModelVersion.objects.filter(model__name="fraud").values_list("number", flat=True)
    assert sorted(numbers) == [1, 3, 4], "with its gaps"
    assert said_by(replayed) == f"Created 0, unchanged {total}"
    check_taken_over(models, versions)


@pytest.fixture
def mlflow_server(tmp_path: Path) -> Iterator[str]:
    """Run MLflow's own server; of this environment, or named by INTMOD_TEST_MLFLOW."""
    program = os.environ.get("INTMOD_TEST_MLFLOW") or _installed()
    if program is None:
        pytest.skip("no MLflow server is installed: `pip install mlflow`, or INTMOD_TEST_MLFLOW")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = (tmp_path / "mlflow.log").open("wb")
    folder = str(Path(program).parent)
    process = subprocess.Popen(
        [
            program, "server", "--backend-store-uri", f"sqlite:///{tmp_path / 'mlflow.db'}",
            "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        ],
        cwd=tmp_path, stdout=log, stderr=log, start_new_session=True,
        env={
            **os.environ, "PATH": f"{folder}:{os.environ['PATH']}",
            "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        },
    )  # fmt: skip
    try:
        until = time.monotonic() + START_TIMEOUT_S
        while not _answers(f"{url}/health"):
            assert process.poll() is None, (tmp_path / "mlflow.log").read_text()
            assert time.monotonic() < until, "the MLflow server did not start"
            time.sleep(0.2)
        yield url
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)
        log.close()


def _installed() -> str | None:
    try:
        importlib.metadata.version("mlflow")
    except importlib.metadata.PackageNotFoundError:
        return None  # mlflow-skinny alone has no server
    return shutil.which("mlflow", path=str(Path(sys.executable).parent))


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


def fill(url: str) -> None:
    """Make models with gaps, tags, aliases, a stage and a prompt."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=url, registry_uri=url)
    client.create_registered_model("fraud", {"team": "risk", "empty": ""}, "Who cheats.")
    for number in range(1, 6):
        client.create_model_version(
            "fraud", f"s3://bucket/fraud/{number}", tags={"n": str(number), "ключ": "ä\"'"},
            description=f"Run {number}",
        )  # fmt: skip
    client.delete_model_version("fraud", "2")
    client.delete_model_version("fraud", "5")
    client.set_registered_model_alias("fraud", "champion", "3")
    client.set_registered_model_alias("fraud", "Shadow-2", "1")
    with pytest.warns(FutureWarning):
        client.transition_model_version_stage("fraud", "4", "Production")
    client.create_registered_model("empty one")
    client.create_registered_model("a_b.c-d")
    client.create_model_version("a_b.c-d", "dbfs:/a b/ü")
    # The client makes no prompts this way, the server does.
    prompt = {"name": "greeting", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}
    requests.post(
        f"{url}/api/2.0/mlflow/registered-models/create", json=prompt, timeout=60
    ).raise_for_status()


@pytest.mark.slow
def test_a_running_server(project: Project, mlflow_server: str) -> None:
    fill(mlflow_server)
    answers = {
        kind: requests.get(
            mlflow_server + path,
            params={"filter": "tag.`mlflow.prompt.is_prompt` != 'true'"}
            if kind == "registered_models"
            else {},
            timeout=60,
        ).json()[kind]
        for path, kind in ROUTES.items()
    }
    assert len(answers["model_versions"]) == 4
    assert said_by(mlflow_server) == "Created 7, unchanged 0"
    check_taken_over(answers["registered_models"], answers["model_versions"])
    assert said_by(mlflow_server) == "Created 0, unchanged 7"
