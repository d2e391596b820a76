"""Thresholds on their model's page: edited there by the service, with a refusal at its row."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from authz.models import AuditEvent, User
from registry.models import Threshold
from registry.monitoring.alerting.thresholds import set_threshold
from tests.admin.forms import shown, url
from tests.admin.test_pages import queries
from tests.admin.world import ACTOR, PASSWORD, World, register

PREFIX = "thresholds"


@pytest.fixture
def limit(world: World) -> Threshold:
    return set_threshold(
        actor=ACTOR, project=world.project, model=world.model, metric="latency_ms", critical=900
    )


def send(client: Client, world: World, **changes: Any) -> Any:
    """Save the model's page with some rows' fields changed: `0_critical` is of the first row."""
    address = url(world.model, "change")
    sent = shown(client.get(address))
    rows = {int(name.partition("_")[0]) for name in changes if name[0].isdigit()}
    total = max([int(sent[f"{PREFIX}-TOTAL_FORMS"]), *(row + 1 for row in rows)])
    sent |= {f"{PREFIX}-TOTAL_FORMS": total}
    for name, value in changes.items():
        row, _, field = name.partition("_")
        sent[f"{PREFIX}-{row}-{field}" if row.isdigit() else name] = value
    return client.post(address, sent)


def row_errors(response: Any) -> list[dict[str, list[str]]]:
    assert response.status_code == 200
    (inline,) = response.context["inline_admin_formsets"]
    return [dict(form.errors) for form in inline.formset.forms]


def events() -> list[tuple[str, str, dict[str, Any]]]:
    rows = AuditEvent.objects.filter(object_type="threshold", actor_label="ada").order_by("id")
    return [(row.action, row.actor_kind, row.changes) for row in rows]


def test_a_limit_is_changed(world: World, staff: Client, limit: Threshold) -> None:
    assert send(staff, world, **{"0_critical": "800", "0_for_s": "60"}).status_code == 302
    limit.refresh_from_db()
    assert (limit.critical, limit.for_s, limit.warning) == (800, 60, None)
    ((action, kind, changes),) = events()
    assert (action, kind) == ("threshold.update", "human")
    assert changes["critical"] == [900, 800]


def test_what_is_watched_stays(world: World, staff: Client, limit: Threshold) -> None:
    assert send(staff, world, **{"0_metric": "accuracy", "0_alias": "x"}).status_code == 302
    limit.refresh_from_db()
    assert (limit.metric, limit.alias) == ("latency_ms", "")
    assert events() == []


def test_one_is_added_and_one_is_removed(world: World, staff: Client, limit: Threshold) -> None:
    given = {"1_metric": "accuracy", "1_alias": "champion", "1_critical": "0.9", "1_for_s": "0"}
    sent = given | {"0_DELETE": "on", "1_is_active": "on", "description": "watched"}
    assert send(staff, world, **sent).status_code == 302
    row = Threshold.objects.get(model=world.model)
    assert (row.metric, row.alias, row.comparator) == ("accuracy", "champion", "lt")
    assert (row.project, row.is_active) == (world.project, True)
    assert {action for action, *_ in events()} == {"threshold.create", "threshold.delete"}
    world.model.refresh_from_db()
    assert world.model.description == "watched"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"0_comparator": "lt"}, "comparator"),
        ({"0_critical": ""}, "critical"),
        ({"0_critical": "nan"}, "critical"),
        ({"0_critical": "1e999"}, "critical"),
        ({"0_warning": "1000"}, "warning"),
        ({"0_for_s": "-1"}, "for_s"),
        ({"0_for_s": str(2**63)}, "for_s"),
        ({"0_comparator": "unknown"}, "comparator"),
        ({"0_is_active": "on", "0_aggregation": "outside_range"}, "aggregation"),
    ],
)
def test_a_refusal_stands_at_its_row_and_nothing_is_saved(
    world: World, staff: Client, limit: Threshold, fields: dict[str, Any], field: str
) -> None:
    set_threshold(
        actor=ACTOR, project=world.project, model=world.model, metric="cost_usd", critical=1
    )
    before = list(Threshold.objects.order_by("pk").values())
    # The second row is right, and goes back with the first; so does the model.
    sent = fields | {"1_critical": "2", "description": "changed"}
    first, second = row_errors(send(staff, world, **sent))
    assert list(first) == [field]
    assert second == {}
    assert list(Threshold.objects.order_by("pk").values()) == before
    world.model.refresh_from_db()
    assert world.model.description != "changed"
    assert events() == []


def test_a_new_row_without_a_limit_is_refused(world: World, staff: Client) -> None:
    (found,) = row_errors(send(staff, world, **{"0_metric": "accuracy", "0_for_s": "0"}))
    assert list(found) == ["critical"]
    assert not Threshold.objects.filter(model=world.model).exists()


def test_other_models_thresholds_are_out_of_reach(
    world: World, staff: Client, limit: Threshold
) -> None:
    other = register(world.project, "other").model
    theirs = set_threshold(
        actor=ACTOR, project=world.project, model=other, metric="latency_ms", critical=700
    )
    for foreign in (theirs.pk, "no-id", "\x00", 2**70, ""):
        assert send(staff, world, **{"0_id": foreign, "0_critical": "1"}).status_code == 200
        assert send(staff, world, **{"0_id": foreign, "0_DELETE": "on"}).status_code == 200
    theirs.refresh_from_db()
    limit.refresh_from_db()
    assert (theirs.critical, limit.critical) == (700, 900)


def test_what_was_removed_meanwhile(world: World, staff: Client, limit: Threshold) -> None:
    address = url(world.model, "change")
    sent = shown(staff.get(address))
    Threshold.objects.all().delete()
    answer = staff.post(address, sent | {f"{PREFIX}-0-critical": "1"})
    assert answer.status_code == 200
    assert staff.post(address, shown(staff.get(address))).status_code == 302


def test_odd_numbers_of_rows(world: World, staff: Client, limit: Threshold) -> None:
    address = url(world.model, "change")
    sent = shown(staff.get(address))
    for name in ("TOTAL_FORMS", "INITIAL_FORMS"):
        for value in ("", "x", "-1", str(2**70), "5"):
            answer = staff.post(address, sent | {f"{PREFIX}-{name}": value})
            assert answer.status_code in {200, 302}, (name, value)
    limit.refresh_from_db()
    assert limit.critical == 900


def clerk(*powers: str) -> Client:
    role = Group.objects.create(name="clerk")
    role.permissions.set(Permission.objects.filter(codename__in=powers))
    user = User.objects.create_user("clerk", PASSWORD, is_staff=True)
    user.groups.add(role)
    client = Client()
    client.force_login(user)
    return client


def test_who_may_only_look_changes_nothing(world: World, limit: Threshold) -> None:
    client = clerk("view_registeredmodel", "change_registeredmodel", "view_threshold")
    address = url(world.model, "change")
    page = client.get(address)
    assert "latency_ms" in page.content.decode()
    sent = shown(page) | {
        f"{PREFIX}-TOTAL_FORMS": "2", f"{PREFIX}-INITIAL_FORMS": "1",
        f"{PREFIX}-0-id": str(limit.pk), f"{PREFIX}-0-critical": "1", f"{PREFIX}-0-DELETE": "on",
        f"{PREFIX}-1-metric": "accuracy", f"{PREFIX}-1-critical": "1", f"{PREFIX}-1-for_s": "0",
    }  # fmt: skip
    client.post(address, sent)
    limit.refresh_from_db()
    assert limit.critical == 900
    assert Threshold.objects.filter(model=world.model).count() == 1


def test_who_may_not_look_sees_none(world: World, limit: Threshold) -> None:
    client = clerk("view_registeredmodel", "change_registeredmodel")
    page = client.get(url(world.model, "change"))
    assert "latency_ms" not in page.content.decode()
    assert page.context["inline_admin_formsets"] == []


def test_many_cost_no_more_and_only_some_are_shown(
    world: World, staff: Client, limit: Threshold
) -> None:
    address = url(world.model, "change")
    few = queries(staff, address)
    Threshold.objects.bulk_create(
        Threshold(
            project=world.project, model=world.model, metric=f"metric-{number}",
            comparator="lt", aggregation="latest", critical=1,
        )
        for number in range(300)
    )  # fmt: skip
    assert queries(staff, address) == few
    page = staff.get(address)
    (inline,) = page.context["inline_admin_formsets"]
    assert len(inline.formset.forms) == 50
    assert staff.post(address, shown(page)).status_code == 302
    listed = f"{url(Threshold, 'changelist')}?model__id__exact={world.model.pk}"
    assert listed in page.content.decode()
    assert staff.get(listed).status_code == 200


def test_seconds_are_called_so(world: World, staff: Client) -> None:
    row = columns(staff, world)
    assert "For, in seconds" in row
    assert "For s" not in row


def columns(staff: Client, world: World) -> list[str]:
    formset = staff.get(url(world.model, "change")).context["inline_admin_formsets"][0]
    return [str(column["label"]) for column in formset.fields()]
