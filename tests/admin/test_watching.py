"""Thresholds, alerts, approvals and recommendations in the admin."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from authz.models import User
from registry.catalog.aliases import set_alias
from registry.models import (
    Alert,
    ApprovalRequest,
    ModelAlias,
    ModelVersion,
    ProtectedAlias,
    Recommendation,
    RegisteredModel,
    Silence,
    Threshold,
)
from tests.admin.forms import errors, submit, url
from tests.admin.test_actions import act
from tests.admin.world import ACTOR, World, call, register


def test_alerts_are_acknowledged_and_silenced(world: World, staff: Client) -> None:
    alert = Alert.objects.get()
    assert act(staff, Alert, "acknowledge", alert) == "1 alert acknowledged."
    alert.refresh_from_db()
    assert alert.acknowledged_by == "ada"
    before = Silence.objects.count()
    assert act(staff, Alert, "silence", alert) == "1 alert silenced."
    assert Silence.objects.count() == before + 1


def test_requests_are_answered(world: World, staff: Client) -> None:
    row = ApprovalRequest.objects.get()
    assert act(staff, ApprovalRequest, "approve", row) == "1 approval request approved."
    assert "already" in act(staff, ApprovalRequest, "reject", row)
    row.refresh_from_db()
    assert (row.state, row.reviewer_label) == ("APPROVED", "ada")


def test_recommendations_are_applied_and_dismissed(world: World, staff: Client) -> None:
    row = Recommendation.objects.get()
    assert act(staff, Recommendation, "apply", row) == "1 recommendation applied."
    assert "applied already" in act(staff, Recommendation, "dismiss", row)


def test_versions_are_checked_and_optimized(world: World, staff: Client) -> None:
    assert "accuracy is 0.5 (critical)" in act(staff, ModelVersion, "check_now", world.version)
    assert "matches" in act(staff, ModelVersion, "optimize_now", world.version)
    second = register(world.project, "smol")
    assert "does well" in act(staff, ModelVersion, "check_now", second)


def test_two_versions_are_compared(world: World, staff: Client) -> None:
    second = register(world.project, "smol")
    assert "Select two" in act(staff, ModelVersion, "compare_two", world.version)
    response: Any = staff.post(
        url(ModelVersion, "changelist"),
        {"action": "compare_two", "_selected_action": [str(world.version.pk), str(second.pk)]},
    )
    page = response.content.decode()
    assert "smol:1" in page
    assert "smol:2" in page
    assert "accuracy, latest" in page
    assert "style=" not in page


def test_aliases_are_rolled_back(world: World, staff: Client) -> None:
    register(world.project, "smol")
    set_alias(actor=ACTOR, model=world.model, name="champion", version=2)
    assert act(staff, ModelAlias, "roll_back", world.alias) == "1 model alias rolled back."
    assert ModelAlias.objects.get().version.number == 1
    page = staff.get(url(world.model, "change")).content.decode()
    assert "(rolled back)" in page


def test_a_versions_page_draws_its_metrics(world: World, staff: Client) -> None:
    call(world.version, latency_ms=1234)
    page = staff.get(url(world.version, "change")).content.decode()
    assert "latency_ms, p95" in page
    assert re.search(r"UTC: 12\d\d of 3", page)
    assert 'class="limit"' in page
    assert "point breach" in page
    assert "is 0.5" in page


def test_thresholds_are_set_and_refused(world: World, staff: Client) -> None:
    version = world.version.pk
    assert (
        submit(staff, Threshold, version=version, metric="latency_ms", critical=5).status_code
        == 302
    )
    made = Threshold.objects.get(metric="latency_ms")
    assert (made.comparator, made.project_id) == ("gt", world.project.pk)
    wrong = {"version": version, "metric": "accuracy", "critical": 1, "comparator": "gt"}
    found = errors(submit(staff, Threshold, **wrong))
    assert set(found) == {"comparator"}
    assert "model" in errors(submit(staff, Threshold, metric="accuracy", critical=1))
    found = errors(submit(staff, made, recovery=9))
    assert set(found) == {"recovery"}
    assert submit(staff, made, warning=4).status_code == 302


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"gates": '["none"]'}, "gates"),
        ({"condition": "x ="}, "condition"),
        ({"movers": '["x"]'}, "movers"),
    ],
)
def test_odd_protections_are_explained(
    world: World, staff: Client, fields: dict[str, str], field: str
) -> None:
    assert set(errors(submit(staff, ProtectedAlias.objects.get(), **fields))) == {field}


def test_a_protected_alias_says_why_it_does_not_move(world: World, staff: Client) -> None:
    second = register(world.project, "smol")
    submit(staff, ProtectedAlias, project=world.project.pk, name="champion", requires_approval="on")
    response = submit(staff, world.alias, version=second.pk)
    assert "not approved" in str(errors(response))


@pytest.mark.parametrize("model", [ModelVersion, RegisteredModel, Threshold, Alert])
def test_an_odd_id_is_no_error(model: Any, world: World, staff: Client) -> None:
    address = url(model, "changelist") + "odd/change/"
    assert staff.get(address).status_code in {302, 404}


def press(client: Client, obj: Any, action: str) -> str:
    address = url(obj, "change")
    response: Any = client.post(address, {"_do": action}, follow=True)
    assert response.request["PATH_INFO"] == address
    return " ".join(str(message) for message in response.context["messages"])


def offered(client: Client, obj: Any) -> set[str]:
    response: Any = client.get(url(obj, "change"))
    page = response.content.decode()
    names = {name for name, _ in response.context["on_page"]}
    assert all(f'value="{name}"' in page for name in names)
    return names


def test_an_alerts_page_acknowledges_and_silences(world: World, staff: Client) -> None:
    alert = Alert.objects.get()
    assert offered(staff, alert) == {"acknowledge", "silence"}
    assert press(staff, alert, "acknowledge") == "1 alert acknowledged."
    assert offered(staff, alert) == {"silence"}
    assert press(staff, alert, "silence") == "1 alert silenced."
    Alert.objects.update(state="RESOLVED")
    assert offered(staff, alert) == set()


def test_a_recommendations_page_applies(world: World, staff: Client) -> None:
    row = Recommendation.objects.get()
    assert offered(staff, row) == {"apply", "dismiss"}
    assert press(staff, row, "apply") == "1 recommendation applied."
    assert offered(staff, row) == set()
    assert "applied already" in press(staff, row, "dismiss")


def test_a_requests_page_answers_it(world: World, staff: Client) -> None:
    row = ApprovalRequest.objects.get()
    assert offered(staff, row) == {"approve", "reject"}
    assert press(staff, row, "reject") == "1 approval request rejected."
    assert offered(staff, row) == set()


def test_a_versions_page_promotes_checks_and_deactivates(world: World, staff: Client) -> None:
    second = register(world.project, "smol")
    always = {"make_champion", "make_default", "check_now", "optimize_now"}
    assert offered(staff, second) == {*always, "deactivate"}
    assert press(staff, second, "make_champion") == "1 model version made the champion."
    assert "does well" in press(staff, second, "check_now")
    assert "deactivated" in press(staff, second, "deactivate")
    assert offered(staff, second) == {*always, "activate"}
    assert "rolled back" in press(staff, ModelAlias.objects.get(name="champion"), "roll_back")
    assert ModelAlias.objects.get(name="champion").version == world.version


def test_pages_do_nothing_that_is_not_offered_or_not_allowed(world: World, staff: Client) -> None:
    alert, address = Alert.objects.get(), url(Alert.objects.get(), "change")
    assert staff.post(address, {"_do": "delete_selected"}).status_code == 403
    assert staff.post(url(world.version, "change"), {"_do": "compare_two"}).status_code == 403
    gone = address.replace(str(alert.pk), str(world.version.pk))
    assert staff.post(gone, {"_do": "acknowledge"}).status_code == 404
    looker: Any = User.objects.create_user("eve", None, is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_alert"))
    staff.force_login(looker)
    assert offered(staff, alert) == set()
    assert staff.post(address, {"_do": "acknowledge"}).status_code == 403
    alert.refresh_from_db()
    assert alert.acknowledged_at is None
