"""Models that move: from project to project, and from an MLflow server."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from authz.audit.actor import Actor
from authz.models import AuditEvent, Project
from integrations.connections.services import register_integration
from integrations.models import Integration
from registry.catalog.aliases import set_alias
from registry.catalog.versions import delete_version
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from registry.monitoring.performance import update_performance
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register

INTEGRATED = "{number: 1, integration: x}"
MEASURED = "{number: 1, provider: x, provider_model: y, performance_metrics: {a: b}}"


def run(name: str, *arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def catalog(register: Register, actor: Actor, project: Project) -> None:
    external = register_integration(
        actor=actor, project=project, name="openai", base_url="https://api.openai.com"
    )
    first = register(
        "gpt", provider="openai", provider_model="gpt-4", tasks=["chat"], integration=external,
        tags={"z": "1", "a": "ü: - #"}, prices={"input_usd_per_mtok": "0.50"}, version="1.0",
        parameters={"temperature": 0.7, "stop": ["\n"]}, description="Two\nlines: 'x'",
    )  # fmt: skip
    for _ in range(3):
        register("gpt")
    for number in (2, 4):
        delete_version(actor=actor, version=first.model.versions.get(number=number))
    register("other", tasks=[], provider="mlflow", status="PENDING_REGISTRATION")
    set_alias(actor=actor, model=first.model, name="champion", version=3)
    set_alias(actor=actor, model=first.model, name="default", version=1)
    update_performance(actor=actor, version=first, metrics={"accuracy": 0.95})


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_a_round_trip_gives_the_same_bytes(
    catalog: None, other_project: Project, actor: Actor, tmp_path: Path, kind: str
) -> None:
    register_integration(
        actor=actor, project=other_project, name="openai", base_url="https://api.openai.com"
    )
    there, back = tmp_path / "there", tmp_path / "back"
    run("export_models", "--project", "shop", "--output", str(there), "--format", kind)
    said = run("import_models", str(there), "--project", "bank")
    assert "Created gpt:1" in said
    run("export_models", "--project", "bank", "--output", str(back), "--format", kind)
    assert back.read_bytes() == there.read_bytes()
    manifest = yaml.safe_load(there.read_text())
    assert [row["number"] for row in manifest["models"][0]["versions"]] == [1, 3]
    assert manifest["models"][0]["last_number"] == 4
    assert "https://api.openai.com" not in there.read_text()

    events = AuditEvent.objects.count()
    again = run("import_models", str(there), "--project", "bank")
    assert again.splitlines()[-1].startswith("Created 0,")
    assert AuditEvent.objects.count() == events
    gpt = RegisteredModel.objects.get(project=other_project, name="gpt")
    assert gpt.versions.get(number=1).metric_values.get().value == 0.95
    assert gpt.versions.get(number=1).tag_rows.count() == 2


def test_a_dry_run_changes_nothing(catalog: None, other_project: Project, tmp_path: Path) -> None:
    Integration.objects.create(project=other_project, name="openai", base_url="https://o.example")
    path = tmp_path / "manifest.yaml"
    run("export_models", "gpt", "--project", "shop", "--output", str(path))
    events = AuditEvent.objects.count()
    said = run("import_models", str(path), "--project", "bank", "--dry-run")
    assert "Would create gpt:3" in said
    assert not RegisteredModel.objects.filter(project=other_project).exists()
    assert AuditEvent.objects.count() == events


def test_what_differs_is_a_conflict_and_nothing_changes(
    catalog: None, other_project: Project, actor: Actor, tmp_path: Path
) -> None:
    Integration.objects.create(project=other_project, name="openai", base_url="https://o.example")
    path = tmp_path / "manifest.json"
    run("export_models", "--project", "shop", "--output", str(path), "--format", "json")
    run("import_models", str(path), "--project", "bank")
    manifest = json.loads(path.read_text())
    manifest["models"][0]["versions"][1]["label"] = "other"
    manifest["models"].insert(0, {"name": "new", "model_type": "llm"})
    path.write_text(json.dumps(manifest))
    with pytest.raises(CommandError, match=r"gpt: version 3 .* label.*Nothing was changed"):
        run("import_models", str(path), "--project", "bank")
    assert not RegisteredModel.objects.filter(name="new").exists()


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("[1]", "no manifest"),
        ("format: x", "no manifest"),
        ("{", "cannot be read"),
        ("{format: intmod.models/1, models: 5}", "list of models"),
        ("{format: intmod.models/1, models: [5]}", "A model is an object"),
        ("{format: intmod.models/1, models: [{name: a, odd: 1}]}", "A model is an object"),
        ("{format: intmod.models/1, models: [{name: 5}]}", "name: Text"),
        ("{format: intmod.models/1, models: [{name: a, model_type: odd}]}", "a: .*odd"),
        ("{format: intmod.models/1, models: [{name: a, versions: [{number: 0}]}]}", "0 is not"),
        ("{format: intmod.models/1, models: [{name: a, versions: [{number: 1}]}]}", "blank"),
        ("{format: intmod.models/1, models: [{name: a, versions: [{number: 1, odd: 2}]}]}", "odd"),
        ("{format: intmod.models/1, models: [{name: a, created_at: x}]}", "not a moment"),
        ("{format: intmod.models/1, models: [{name: a, aliases: {b: 7}}]}", "no version 7"),
        (
            "{format: intmod.models/1, models: [{name: a, versions: [" + INTEGRATED + "]}]}",
            "no integration",
        ),
        (
            "{format: intmod.models/1, models: [{name: a, versions: [" + MEASURED + "]}]}",
            "An object of numbers",
        ),
    ],
)
def test_odd_manifests(project: Project, tmp_path: Path, manifest: str, said: str) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(manifest)
    with pytest.raises(CommandError, match=said):
        run("import_models", str(path), "--project", "shop")
    assert RegisteredModel.objects.count() == 0


def test_a_deleted_number_does_not_come_back(
    catalog: None, actor: Actor, tmp_path: Path, project: Project
) -> None:
    path = tmp_path / "manifest.yaml"
    run("export_models", "gpt", "--project", "shop", "--output", str(path))
    ModelAlias.objects.all().delete()
    version = ModelVersion.objects.get(model__name="gpt", number=3)
    delete_version(actor=actor, version=version)
    with pytest.raises(CommandError, match="was deleted here"):
        run("import_models", str(path), "--project", "shop")


def test_unknown_projects(tmp_path: Path, db: None) -> None:
    path = tmp_path / "m"
    path.write_text("format: intmod.models/1\nmodels: []\n")
    for arguments in (("export_models",), ("import_models", str(path))):
        with pytest.raises(CommandError, match="no project called x"):
            run(*arguments, "--project", "x")


@pytest.mark.django_db(transaction=True)
def test_a_registry_that_speaks_mlflow(
    catalog: None, other_project: Project, project: Project, live_server: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    member = MembershipFactory(project=project, role_name="viewer")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", api_key_for(member))
    said = run("import_mlflow", live_server.url, "--project", "bank")
    assert said.splitlines()[-1] == "Created 5, unchanged 0"
    ours = RegisteredModel.objects.get(project=project, name="gpt")
    theirs = RegisteredModel.objects.get(project=other_project, name="gpt")
    assert [row.number for row in theirs.versions.order_by("number")] == [1, 3]
    for mine, other in zip(
        ours.versions.order_by("number"), theirs.versions.order_by("number"), strict=True
    ):
        assert other.tags == mine.tags
        assert other.created_at == mine.created_at.replace(
            microsecond=mine.created_at.microsecond // 1000 * 1000
        )
        assert (other.description, other.created_by) == (mine.description, mine.created_by)
    aliases = theirs.aliases.values_list("name", "version__number")
    assert dict(aliases) == {"champion": 3, "default": 1}
    again = run("import_mlflow", live_server.url, "--project", "bank")
    assert again.splitlines()[-1].startswith("Created 0,")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "wrong")
    with pytest.raises(CommandError, match="answers 401"):
        run("import_mlflow", live_server.url, "--project", "bank")


def test_a_server_that_is_not_there(project: Project) -> None:
    with pytest.raises(CommandError, match="does not answer"):
        run("import_mlflow", "http://127.0.0.1:9", "--project", "shop")
