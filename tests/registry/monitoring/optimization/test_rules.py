"""Rules: what they find, what they expect of it, what becomes of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authz.audit.actor import Actor
from authz.models import AuditEvent, Project
from registry.catalog.aliases import set_alias
from registry.catalog.versions import update_version
from registry.models import ModelVersion, Recommendation
from registry.monitoring.current import materialise
from registry.monitoring.definitions import define_metric
from registry.monitoring.optimization import actions, finders
from registry.monitoring.optimization.actions import register_action
from registry.monitoring.optimization.finders import Finding, register_finder
from registry.monitoring.optimization.recommendations import expire, optimize
from registry.monitoring.performance import update_performance
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register
from tests.registry.monitoring.conftest import Call, settle

NOTIFY = {"name": "r", "action": "notify", "condition": "name = 'a'"}
PARAMETERS = {"provider": "openai", "provider_model": "gpt-4o-mini"}
SWITCH = {"name": "r", "action": "switch_provider", "condition": "name = 'a'"}
MOVE = {"name": "r", "action": "move_alias", "condition": "name = 'a'"}
OPTIMIZE = "registry/models/a/versions/1/optimize"
PRICED = {"input_usd_per_mtok": "2", "output_usd_per_mtok": "4"}
CHEAP = {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}


def add(api: ApiClient, name: str, action: str = "notify", **fields: Any) -> Any:
    return api.ok("POST", "registry/rules", {"name": name, "action": action, **fields})


def apply(api: ApiClient, *, status: int = 200) -> Any:
    row = api.ok("GET", "registry/recommendations?state=OPEN")["results"][0]
    path = f"registry/recommendations/{row['id']}/apply"
    return api.ok("POST", path) if status == 200 else api.refused(status, "POST", path)


def test_a_condition_finds_by_the_search_grammar(
    register: Register, call: Call, api: ApiClient, announced: list[Any]
) -> None:
    version = register("a")
    add(api, "slow", condition="metrics.latency_ms.p95 > 800")
    assert api.ok("POST", OPTIMIZE) == {"recommendations": []}
    call(version, latency_ms=900)
    settle()
    materialise()
    assert len(api.ok("POST", OPTIMIZE)["recommendations"]) == 1
    assert len(api.ok("POST", OPTIMIZE)["recommendations"]) == 1
    row = api.ok("GET", "registry/recommendations")["results"][0]
    assert row["evidence"]["latency_ms.p95"] == pytest.approx(900, rel=0.02)
    assert (row["rule"], row["model_id"], row["expected_change"]) == ("slow", "a-1", None)
    assert [name for name, _ in announced] == ["model.recommendation.created"]
    api.ok("POST", f"registry/recommendations/{row['id']}/apply")
    assert len(announced) == 2


def test_a_rule_that_fails_says_so_and_does_not_stop_the_others(
    register: Register, api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("a")
    monkeypatch.setattr(finders, "_finders", dict(finders._finders))

    def fail(*_: object) -> Any:
        raise RuntimeError("no luck")

    register_finder("broken", fail)
    register_finder("fine", lambda version, _, now: [Finding("Do it.", {"a": 1})])
    broken = add(api, "1 broken", finder="broken")
    add(api, "2 fine", finder="fine")
    texts = api.ok("POST", OPTIMIZE)["recommendations"]
    assert texts == ["Rule 1 broken failed: RuntimeError('no luck')", "Do it."]
    assert "no luck" in api.ok("GET", f"registry/rules/{broken['id']}")["last_error"]


def test_days_beyond_the_calendar_are_said_to_be_wrong(register: Register, api: ApiClient) -> None:
    register("a")
    add(api, "unused", "deactivate", finder="unused_for_days", parameters={"days": 1e9})
    texts = api.ok("POST", OPTIMIZE)["recommendations"]
    assert texts == ["Rule unused failed: parameters.days: A number from 0 to 36500."]


def test_slow_and_failing_versions(register: Register, call: Call, api: ApiClient) -> None:
    version = register("a")
    add(api, "1", finder="p95_above_target", parameters={"target_ms": 800})
    add(api, "2", finder="error_rate_above_target", parameters={"target": 0.1})
    add(api, "3", finder="context_overflow_rate", parameters={"target": 0.1})
    for index in range(20):
        bad = {"status": 400, "error_code": "context_length_exceeded"} if index < 4 else {}
        call(version, latency_ms=900, **bad)
    texts = api.ok("POST", OPTIMIZE)["recommendations"]
    assert len(texts) == 3
    assert "900 ms" in texts[0] or "89" in texts[0]
    assert texts[1].startswith("20.0% of the calls")
    assert "too long" in texts[2]


def test_unused_versions_are_deactivated(register: Register, call: Call, api: ApiClient) -> None:
    version = register("a")
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(days=90))
    add(api, "unused", "deactivate", finder="unused_for_days", parameters={"days": 30})
    call(version, created_at=timezone.now() - timedelta(days=20))
    assert api.ok("POST", OPTIMIZE)["recommendations"] == []
    call(register("b"))
    from registry.models import InferenceRecord

    InferenceRecord.objects.filter(version_id=version.pk).delete()
    assert len(api.ok("POST", OPTIMIZE)["recommendations"]) == 1
    assert apply(api)["state"] == "APPLIED"
    version.refresh_from_db()
    assert version.is_active is False
    actions = AuditEvent.objects.values_list("action", flat=True)
    assert {"recommendation.applied", "modelversion.update"} <= set(actions)


@pytest.mark.parametrize("calls", [10, 100])
def test_a_cheaper_version_of_the_same_quality(
    register: Register, call: Call, actor: Actor, api: ApiClient, calls: int
) -> None:
    dear, cheap = register("a", prices=PRICED), register("a", prices=CHEAP)
    worse = register("a", prices={"input_usd_per_mtok": "0", "output_usd_per_mtok": "0"})
    set_alias(actor=actor, model=dear.model, name="champion", version=1)
    for version, accuracy in ((dear, 0.9), (cheap, 0.9), (worse, 0.5)):
        update_performance(actor=actor, version=version, metrics={"accuracy": accuracy})
    for _ in range(calls):
        call(dear, latency_ms=200)
        call(cheap, latency_ms=100)
    add(api, "cheaper", "move_alias", finder="cheaper_version", parameters={"alias": "champion"})
    api.ok("POST", OPTIMIZE)
    row = api.ok("GET", "registry/recommendations")["results"][0]
    assert row["parameters"]["version"] == 2
    if calls < 100:
        assert row["expected_change"] is None
    else:
        change = row["expected_change"]
        assert change["cost_usd"] == ["0.24", "0.12"]
        assert change["saved_usd"] == "0.12"
        assert change["latency_ms_p95"] == pytest.approx([200, 100], rel=0.02)
    apply(api)
    assert api.ok("GET", "registry/models/a/aliases/champion")["version"] == 2


@pytest.mark.parametrize(
    ("metric", "values", "found"),
    [
        ("accuracy", (0.9, 0.95), True),
        ("accuracy", (0.9, 0.8), False),
        ("loss", (0.3, 0.2), True),
        ("loss", (0.3, 0.4), False),
        ("drift", (0.5, 0.55), True),
        ("drift", (0.5, 0.7), False),
        ("drift", (0.5, 0.3), False),
    ],
)
def test_which_way_a_metric_is_better_decides_what_is_as_good(
    register: Register, call: Call, actor: Actor, api: ApiClient, project: Project,
    metric: str, values: tuple[float, float], found: bool,
) -> None:  # fmt: skip
    define_metric(actor=actor, project=project, key="drift", direction="TARGET")
    dear, cheap = register("a", prices=PRICED), register("a", prices=CHEAP)
    for version, value in zip((dear, cheap), values, strict=True):
        update_performance(actor=actor, version=version, metrics={metric: value})
    call(dear)
    add(api, "cheaper", finder="cheaper_version", parameters={"metric": metric, "tolerance": 0.06})
    assert len(api.ok("POST", OPTIMIZE)["recommendations"]) == found


def test_limits_and_fallbacks(register: Register, actor: Actor, api: ApiClient) -> None:
    version = register("a", limits={"max_tokens": 500})
    register("b")
    add(api, "1", "lower_max_tokens", condition="name = 'a'", parameters={"max_tokens": 100})
    api.ok("POST", OPTIMIZE)
    apply(api)
    version.refresh_from_db()
    assert version.limits == {"max_tokens": 100}
    api.ok("POST", OPTIMIZE)
    apply(api, status=409)
    row = api.ok("GET", "registry/recommendations?state=OPEN")["results"][0]
    api.ok("POST", f"registry/recommendations/{row['id']}/dismiss")
    api.refused(409, "POST", f"registry/recommendations/{row['id']}/apply")
    api.ok(
        "PATCH",
        f"registry/rules/{api.ok('GET', 'registry/rules')['results'][0]['id']}",
        {"is_active": False},
    )
    add(api, "2", "enable_fallback", condition="name = 'a'", parameters={"fallback": "b"})
    api.ok("POST", OPTIMIZE)
    row = api.ok("GET", "registry/recommendations?state=OPEN")["results"][0]
    accepted = api.ok("POST", f"registry/recommendations/{row['id']}/accept")
    assert accepted["state"] == "ACCEPTED"
    api.ok("POST", f"registry/recommendations/{row['id']}/apply")
    version.refresh_from_db()
    assert version.fallbacks == [{"model": "b", "on": ["error"]}]


def test_switching_the_provider_makes_a_version(register: Register, api: ApiClient) -> None:
    version = register("a", tasks=["chat"])
    parameters = {
        "provider": "local", "provider_model": "smollm2-135m-instruct", "alias": "default",
    }  # fmt: skip
    add(api, "switch", "switch_provider", condition="number = 1", parameters=parameters)
    api.ok("POST", OPTIMIZE)
    apply(api)
    assert version.model.versions.count() == 2
    assert api.ok("GET", "registry/models/a/aliases/default")["version"] == 2


def test_what_changed_or_ended_is_closed(
    register: Register, api: ApiClient, project: Project
) -> None:
    version = register("a")
    rule = add(api, "r", "lower_max_tokens", condition="name = 'a'", parameters={"max_tokens": 9})
    optimize(version)
    api.ok("PATCH", f"registry/rules/{rule['id']}", {"parameters": {"max_tokens": 8}})
    optimize(version)
    states = sorted(Recommendation.objects.values_list("state", flat=True))
    assert states == ["OPEN", "SUPERSEDED"]
    assert expire(timezone.now() + timedelta(days=29)) == 0
    assert expire(timezone.now() + timedelta(days=31)) == 1
    optimize(version)
    api.ok("PATCH", f"registry/rules/{rule['id']}", {"condition": "name = 'b'"})
    assert optimize(version) == []
    assert not Recommendation.objects.filter(state="OPEN").exists()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "r", "action": "notify"}, "/condition"),
        ({"name": "r", "action": "notify", "condition": "x ="}, "/condition"),
        ({**NOTIFY, "finder": "unused_for_days"}, "/condition"),
        ({"name": "r", "action": "notify", "finder": "none"}, "/finder"),
        ({"name": "r", "action": "dance", "condition": "name = 'a'"}, "/action"),
        ({"name": "r", "action": "move_alias", "condition": "name = 'a'"}, "/parameters/alias"),
        (
            {**NOTIFY, "action": "lower_max_tokens", "parameters": {"max_tokens": -1}},
            "/parameters/max_tokens",
        ),
        ({**SWITCH, "parameters": PARAMETERS | {"prices": 5}}, "/parameters/prices"),
        (
            {**SWITCH, "parameters": PARAMETERS | {"prices": {"input_usd_per_mtok": "x"}}},
            "/parameters/prices/input_usd_per_mtok",
        ),
        *(
            (
                {**MOVE, "parameters": {"alias": "x", "version": version}},
                "/parameters/version",
            )
            for version in ("1", True, 0, 2**31, 1.0, [], None)
        ),
        ({**SWITCH, "parameters": PARAMETERS | {"integration": [1]}}, "/parameters/integration"),
        ({**NOTIFY, "expires_after_days": 0}, "/expires_after_days"),
        ({**NOTIFY, "action": "call"}, "/parameters/callable"),
        ({**NOTIFY, "action": "call", "parameters": {"callable": "x"}}, "/parameters/callable"),
        ({**NOTIFY, "action": "call", "parameters": {"callable": []}}, "/parameters/callable"),
    ],
)  # fmt: skip
def test_odd_rules(api: ApiClient, body: dict[str, Any], path: str) -> None:
    envelope = api.refused(400, "POST", "registry/rules", body)
    assert envelope["error_details"]["fields"][0]["path"] == path


def test_applying_needs_the_permission_for_what_it_does(
    register: Register, api: ApiClient, project: Project, actor: Actor
) -> None:
    register("a")
    add(api, "r", "deactivate", condition="name = 'a'")
    api.ok("POST", OPTIMIZE)
    row = api.ok("GET", "registry/recommendations")["results"][0]
    member = MembershipFactory(project=project)
    scopes = ["registry.view_recommendation", "registry.change_recommendation"]
    narrow = ApiClient(api_key_for(member, scopes=scopes))
    narrow.refused(403, "POST", f"registry/recommendations/{row['id']}/apply")
    assert ModelVersion.objects.get().is_active


def test_registered_code_is_called(
    register: Register, api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = register("a")
    monkeypatch.setattr(actions, "_registered", {})

    def tag(actor: Actor, row: Recommendation) -> None:
        update_version(
            actor=actor, version=row.version, changes={"tags": {"of": row.parameters["of"]}}
        )
        if row.parameters["of"] == "broken":
            raise RuntimeError("no luck")

    register_action("tag", tag)
    for of in ("rules", "broken"):
        parameters = {"callable": "tag", "of": of}
        add(api, of, "call", condition="name = 'a'", parameters=parameters)
    api.ok("POST", OPTIMIZE)
    assert apply(api)["state"] == "APPLIED"
    version.refresh_from_db()
    assert version.tags == {"of": "rules"}
    refusal = apply(api, status=409)
    assert "tag failed: RuntimeError('no luck')" in str(refusal)
    version.refresh_from_db()
    assert version.tags == {"of": "rules"}, "what it did before it failed is taken back"
    assert Recommendation.objects.filter(state="OPEN").count() == 1
    monkeypatch.setattr(actions, "_registered", {})
    assert "'tag' is none of" in str(apply(api, status=400))
