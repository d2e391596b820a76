"""Model cards, read by the library that they are made for."""

import pytest
from huggingface_hub import ModelCard

from authz.audit.actor import Actor
from authz.models import Project
from registry.catalog.aliases import set_alias
from registry.catalog.cards import card_of
from registry.monitoring.performance import update_performance
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register


def test_a_card_is_what_hugging_face_reads(
    register: Register, actor: Actor, project: Project
) -> None:
    version = register("a", tags={"team": "search"}, prices={"input_usd_per_mtok": "0.5"})
    set_alias(actor=actor, model=version.model, name="champion", version=1)
    metrics = {"accuracy": 0.95, "latency_ms": 500.0}
    update_performance(actor=actor, version=version, metrics=metrics)
    api = ApiClient(api_key_for(MembershipFactory(project=project, role_name="viewer")))
    content = api.ok("GET", "registry/models/a/versions/1/card")["content"]
    card = ModelCard(content, ignore_metadata_errors=False)
    assert card.data.model_name == "a:1"
    assert card.data.pipeline_tag == "text-generation"
    assert card.data.tags == ["llm", "team:search"]
    results = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert results == metrics
    assert "| Aliases | champion |" in card.text
    assert "| Price input_usd_per_mtok | 0.5 |" in card.text


@pytest.mark.parametrize("text", ["---\nx: [", "a\n---\nb: c\n---", "| x |", "'\"\\ü: - #"])
def test_odd_texts_do_not_break_a_card(register: Register, text: str) -> None:
    version = register("a", description=text, tags={text: text}, tasks=[])
    card = ModelCard(card_of(version), ignore_metadata_errors=False)
    assert card.data.tags == ["llm", f"{text}:{text}"]
    assert text.strip() in card.text


def test_another_projects_card(register: Register, other_project: Project) -> None:
    register("a")
    api = ApiClient(api_key_for(MembershipFactory(project=other_project)))
    api.refused(404, "GET", "registry/models/a/versions/1/card")
