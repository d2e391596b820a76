"""The audit log: in the change's transaction, about everything, and not to be changed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from authz.audit import record, triggers
from authz.audit.record import event_mac, record_change, state_of
from authz.models import AuditEvent, Membership, Project
from registry.catalog.services import create_model
from registry.models import RegisteredModel
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR, ProjectFactory, UserFactory
from tests.factories.integrations import IntegrationFactory


def make_model(project: Project) -> RegisteredModel:
    return create_model(actor=ACTOR, project=project, name="m", model_type="llm")


def test_an_event_says_who_did_what_to_what(db: None) -> None:
    project = ProjectFactory(slug="shop")
    model = make_model(project)
    event = AuditEvent.objects.get()
    assert (event.action, event.outcome) == ("registeredmodel.create", "success")
    assert (event.actor_kind, event.actor_label) == ("system", "tests")
    assert (event.object_type, event.object_id, event.object_label) == (
        "registeredmodel",
        str(model.pk),
        "m",
    )
    assert (event.project_id, event.project_label) == (project.pk, "shop")
    assert event.changes["name"] == [None, "m"]


def test_a_change_that_rolls_back_leaves_no_event(db: None) -> None:
    with transaction.atomic():
        make_model(ProjectFactory())
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


def test_a_change_that_cannot_be_recorded_does_not_happen(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(values: dict[str, Any]) -> str:
        raise RuntimeError("the log is full")

    monkeypatch.setattr(record, "mac_of", fail)
    with pytest.raises(RuntimeError):
        make_model(ProjectFactory())
    assert not RegisteredModel.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_stands_in_no_transaction_of_its_own() -> None:
    project = ProjectFactory()
    with pytest.raises(transaction.TransactionManagementError):
        record_change(actor=ACTOR, action="x.y", obj=project, project=project)


def test_secrets_and_personal_data_stand_as_hashes(db: None) -> None:
    user = UserFactory(email="ada@example.com", full_name="Ada Lovelace")
    integration = IntegrationFactory(api_key="sk-very-secret-key")
    text = str([state_of(user), state_of(integration)])
    for secret in ("ada@example.com", "Lovelace", "sk-very-secret-key", user.password):
        assert secret not in text
    changed = state_of(IntegrationFactory(api_key="another"))["api_key"]
    assert changed != state_of(integration)["api_key"]


def test_each_event_carries_a_code_that_fits_no_other(db: None) -> None:
    make_model(ProjectFactory())
    event = AuditEvent.objects.get()
    assert event_mac(event) == event.mac
    event.actor_label = "somebody else"
    assert event_mac(event) != event.mac


def test_the_log_is_read_by_filters_and_pages(with_key: ApiClient, member: Membership) -> None:
    for name in ("a", "b"):
        with_key.ok("POST", "registry/models", {"name": name, "model_type": "llm"})
    page = with_key.ok("GET", "audit/events?action=registeredmodel.create&page_size=1")
    assert page["results"][0]["object_label"] == "b"
    more = with_key.ok("GET", f"audit/events?action=registeredmodel.create&cursor={page['next']}")
    assert [event["object_label"] for event in more["results"]] == ["a"]
    one = with_key.ok("GET", f"audit/events/{page['results'][0]['id']}")
    assert one == page["results"][0]
    assert (
        with_key.ok("GET", f"audit/events?actor={member.user.pk}&outcome=denied")["results"] == []
    )
    with_key.refused(400, "GET", "audit/events?outcome=maybe")
    with_key.refused(400, "GET", "audit/events?since=yesterday")
    with_key.refused(405, "DELETE", "audit/events/1")


def test_each_filter_keeps_what_it_names_and_nothing_else(
    with_key: ApiClient, member: Membership
) -> None:
    made = with_key.ok("POST", "registry/models", {"name": "a", "model_type": "llm"})
    with_key.ok("DELETE", "registry/models/a")
    record.record_denial(actor=ACTOR, action="x.delete", project=member.project, reason="No.")
    events = with_key.ok("GET", "audit/events")["results"]
    first = events[-1]["occurred_at"]
    filters: dict[str, Callable[[Any], bool]] = {
        f"actor={member.user.pk}": lambda event: event["actor_id"] == str(member.user.pk),
        "action=x.delete": lambda event: event["action"] == "x.delete",
        "outcome=denied": lambda event: event["outcome"] == "denied",
        "object_type=registeredmodel": lambda event: event["object_type"] == "registeredmodel",
        f"object_id={made['id']}": lambda event: event["object_id"] == made["id"],
        f"since={first}": lambda event: True,
        f"until={first}": lambda event: False,
    }
    for query, keeps in filters.items():
        listed = with_key.ok("GET", f"audit/events?{query.replace('+', '%2B')}")["results"]
        assert listed == [event for event in events if keeps(event)], query
        assert listed or query.startswith("until"), query


def test_events_of_other_projects_are_not_there(with_key: ApiClient) -> None:
    make_model(ProjectFactory())
    event = AuditEvent.objects.get(action="registeredmodel.create")
    with_key.refused(404, "GET", f"audit/events/{event.pk}")
    assert with_key.ok("GET", "audit/events?action=registeredmodel.create")["results"] == []


@pytest.fixture
def guarded_event(transactional_db: None) -> Iterator[AuditEvent]:
    make_model(ProjectFactory())
    triggers.install(connection)
    yield AuditEvent.objects.get()
    triggers.remove(connection)


def test_python_refuses_to_change_an_event(guarded_event: AuditEvent) -> None:
    with pytest.raises(TypeError):
        guarded_event.save()
    with pytest.raises(TypeError):
        guarded_event.delete()


CHANGES: dict[str, Any] = {
    "update": lambda event: AuditEvent.objects.filter(pk=event.pk).update(actor_label="x"),
    "bulk_update": lambda event: AuditEvent.objects.bulk_update([event], ["actor_label"]),
    "delete": lambda event: AuditEvent.objects.all().delete(),
    "raw delete": lambda event: AuditEvent.objects.all()._raw_delete("default"),
    "sql update": "UPDATE authz_auditevent SET actor_label = 'x'",
    "sql delete": "DELETE FROM authz_auditevent",
}


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize("name", CHANGES)
def test_the_database_refuses_to_change_an_event(guarded_event: AuditEvent, name: str) -> None:
    change = CHANGES[name]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run(change) if isinstance(change, str) else change(guarded_event)
    assert (
        AuditEvent.objects.values().get()
        == AuditEvent.objects.filter(pk=guarded_event.pk).values().get()
    )


def test_the_database_refuses_to_replace_or_empty(guarded_event: AuditEvent) -> None:
    if connection.vendor == "sqlite":
        columns = ", ".join(field.column for field in AuditEvent._meta.concrete_fields)
        sql = (
            f"INSERT OR REPLACE INTO authz_auditevent ({columns}) "
            f"SELECT {columns} FROM authz_auditevent"
        )
    else:
        sql = "TRUNCATE authz_auditevent"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run(sql)
    assert AuditEvent.objects.count() == 1
