"""An unmodified MLflow client, against a real server of several processes."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.acceptance.server import Server, running_server
from tests.acceptance.test_several_processes import PREPARE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore"),  # MLflow's own
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("mlflow")
    with running_server(folder, workers=2, vendor=request.param) as server:
        yield server


@pytest.fixture(scope="module")
def token(server: Server) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_TOKEN", server.shell(PREPARE)[0])
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("DO_NOT_TRACK", "true")
        yield "set"


@pytest.fixture
def client(server: Server, token: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=server.base_url, registry_uri=server.base_url)


@pytest.fixture
def refused() -> Callable[[str, Callable[[], object]], None]:
    from mlflow.exceptions import MlflowException

    def check(code: str, do: Callable[[], object]) -> None:
        with pytest.raises(MlflowException) as raised:
            do()
        assert raised.value.error_code == code, raised.value

    return check


def test_models(client: Any, refused: Any) -> None:
    made = client.create_registered_model("m1", tags={"team": "search"}, description="First.")
    assert (made.name, made.description, made.tags) == ("m1", "First.", {"team": "search"})
    assert made.creation_timestamp > 1_700_000_000_000
    refused("RESOURCE_ALREADY_EXISTS", lambda: client.create_registered_model("m1"))
    refused("INVALID_PARAMETER_VALUE", lambda: client.create_registered_model("a/b"))
    refused("RESOURCE_DOES_NOT_EXIST", lambda: client.get_registered_model("none"))
    assert client.update_registered_model("m1", "Second.").description == "Second."
    client.set_registered_model_tag("m1", "tier", "gold")
    client.delete_registered_model_tag("m1", "team")
    assert client.get_registered_model("m1").tags == {"tier": "gold"}
    client.rename_registered_model("m1", "m2")
    assert client.get_registered_model("m2").tags == {"tier": "gold"}
    refused("RESOURCE_DOES_NOT_EXIST", lambda: client.get_registered_model("m1"))
    client.delete_registered_model("m2")
    refused("RESOURCE_DOES_NOT_EXIST", lambda: client.get_registered_model("m2"))
    refused("RESOURCE_DOES_NOT_EXIST", lambda: client.delete_registered_model("m2"))


def test_versions_and_aliases(client: Any, refused: Any) -> None:
    client.create_registered_model("v")
    first = client.create_model_version("v", "s3://bucket/1", run_id="r1", tags={"a": "b"})
    assert (first.version, first.status, first.source) == ("1", "READY", "s3://bucket/1")
    assert (first.run_id, first.tags, first.current_stage) == ("r1", {"a": "b"}, "None")
    second = client.create_model_version("v", "models:/m-123", model_id="m-123")
    assert (second.source, second.user_id) == ("models:/m-123", "ada")
    assert client.update_model_version("v", "1", "Text.").description == "Text."
    client.set_model_version_tag("v", "1", "k", "1")
    client.delete_model_version_tag("v", "1", "a")
    assert client.get_model_version("v", "1").tags == {"k": "1"}
    assert client.get_model_version_download_uri("v", "1") == "s3://bucket/1"
    refused("RESOURCE_DOES_NOT_EXIST", lambda: client.get_model_version("v", "9"))

    client.set_registered_model_alias("v", "champion", "1")
    client.set_registered_model_alias("v", "champion", "2")
    assert client.get_model_version_by_alias("v", "champion").version == "2"
    assert client.get_registered_model("v").aliases == {"champion": "2"}
    assert client.get_model_version("v", "2").aliases == ["champion"]
    refused("RESOURCE_CONFLICT", lambda: client.delete_model_version("v", "2"))
    refused("RESOURCE_DOES_NOT_EXIST", lambda: client.set_registered_model_alias("v", "x", "7"))
    client.delete_registered_model_alias("v", "champion")
    refused("INVALID_PARAMETER_VALUE", lambda: client.get_model_version_by_alias("v", "champion"))
    client.delete_model_version("v", "2")
    assert client.create_model_version("v", "s3://bucket/3").version == "3"


def test_stages(client: Any, refused: Any) -> None:
    client.create_registered_model("s")
    for _ in range(3):
        client.create_model_version("s", "s3://x")
    client.transition_model_version_stage("s", "1", "Production")
    moved = client.transition_model_version_stage(
        "s", "2", "production", archive_existing_versions=True
    )
    assert moved.current_stage == "Production"
    latest = {row.current_stage: row.version for row in client.get_latest_versions("s")}
    assert latest == {"Archived": "1", "Production": "2", "None": "3"}
    only = client.get_latest_versions("s", stages=["Production", "Archived"])
    assert sorted(row.version for row in only) == ["1", "2"]
    refused(
        "INVALID_PARAMETER_VALUE", lambda: client.transition_model_version_stage("s", "1", "Live")
    )


def test_searches(client: Any, refused: Any) -> None:
    for name in ("find-a", "find-b", "find-c"):
        client.create_registered_model(name, tags={"kind": name[-1]})
        for index in range(3):
            client.create_model_version(name, f"s3://{name}", tags={"i": str(index)})
    client.set_registered_model_alias("find-b", "best", "2")

    def names(text: str, **more: Any) -> list[str]:
        return [row.name for row in client.search_registered_models(text, **more)]

    assert names("name LIKE 'find-%'") == ["find-a", "find-b", "find-c"]
    assert names("name ILIKE 'FIND-%'", order_by=["name DESC"]) == ["find-c", "find-b", "find-a"]
    assert names("tags.kind = 'b'") == ["find-b"]
    first = client.search_registered_models("name LIKE 'find-%'", max_results=2)
    assert [row.name for row in first] == ["find-a", "find-b"]
    rest = client.search_registered_models(
        "name LIKE 'find-%'", max_results=2, page_token=first.token
    )
    assert [row.name for row in rest] == ["find-c"]
    assert not rest.token
    assert first[1].aliases == {"best": "2"}
    assert [row.version for row in first[1].latest_versions] == ["3"]

    found = client.search_model_versions("name = 'find-b'")
    assert [row.version for row in found] == ["3", "2", "1"]
    assert [row.aliases for row in found] == [[], ["best"], []]
    text = "name = 'find-a' AND tags.i = '1'"
    assert [row.version for row in client.search_model_versions(text)] == ["2"]
    ordered = client.search_model_versions("name = 'find-a'", order_by=["version_number ASC"])
    assert [row.version for row in ordered] == ["1", "2", "3"]
    refused("INVALID_PARAMETER_VALUE", lambda: client.search_model_versions("name ="))
    refused("INVALID_PARAMETER_VALUE", lambda: client.search_registered_models("a = 'b'"))


def test_the_fluent_way(server: Server, client: Any, token: str) -> None:
    import mlflow

    mlflow.set_tracking_uri(server.base_url)
    mlflow.set_registry_uri(server.base_url)
    first = mlflow.register_model("s3://bucket/model", "fluent", tags={"a": "b"})
    second = mlflow.register_model("s3://bucket/model", "fluent")
    assert (first.version, second.version, first.tags) == ("1", "2", {"a": "b"})
    names = [row.name for row in mlflow.search_registered_models(filter_string="name = 'fluent'")]
    assert names == ["fluent"]
    assert len(mlflow.search_model_versions(filter_string="name = 'fluent'")) == 2


def test_a_version_is_copied_to_another_model(client: Any) -> None:
    client.create_registered_model("from")
    client.create_model_version("from", "s3://x", tags={"a": "b"}, description="First.")
    made = client.copy_model_version("models:/from/1", "to")
    assert (made.name, made.version, made.source) == ("to", "1", "models:/from/1")
    assert (made.tags, made.description) == ({"a": "b"}, "First.")
    assert client.copy_model_version("models:/to/1", "to").version == "2"
    assert client.get_model_version_download_uri("to", "1")
    assert "Production" in client.get_model_version_stages("to", "1")


def test_creators_at_once_get_numbers_of_their_own(client: Any) -> None:
    client.create_registered_model("busy")
    with ThreadPoolExecutor(16) as pool:
        made = list(
            pool.map(lambda _: client.create_model_version("busy", "s3://x").version, range(30))
        )
    assert sorted(map(int, made)) == list(range(1, 31))


def test_a_key_as_a_password(
    client: Any, refused: Any, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = os.environ["MLFLOW_TRACKING_TOKEN"]
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "whoever")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", key)
    assert client.create_registered_model("by-password").name == "by-password"
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong")
    refused("UNAUTHENTICATED", lambda: client.get_registered_model("by-password"))


def test_without_a_token(client: Any, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "wrong")
    refused("UNAUTHENTICATED", lambda: client.get_registered_model("v"))
