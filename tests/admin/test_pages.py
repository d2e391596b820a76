"""Every page of the admin: it is there, and asks the database as often for many rows as for few."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_denial
from authz.models import (
    APIKey,
    AuditEvent,
    Membership,
    PolicyAttachment,
    Project,
    SecurityPolicy,
    User,
)
from integrations.models import (
    CallRecord,
    EventType,
    InboundSource,
    Integration,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
)
from registry.models import (
    InferenceRecord,
    MetricDefinition,
    MetricSample,
    ModelAlias,
    ModelVersion,
    OptimizationRule,
    ProtectedAlias,
    RegisteredModel,
    Silence,
    TaskDefault,
    Threshold,
)
from tests.admin.forms import url
from tests.admin.world import World, grow

MODELS = list(admin.site._registry)
ADDABLE = [
    APIKey, Group, Integration, Membership, ModelAlias, ModelVersion, PolicyAttachment, Project,
    RegisteredModel, SecurityPolicy, TaskDefault, User, Threshold, MetricDefinition, Silence,
    ProtectedAlias, OptimizationRule, WebhookEndpoint, EventType, InboundSource,
]  # fmt: skip
RECORDS = (
    CallRecord, AuditEvent, InferenceRecord, MetricSample, WebhookDelivery, WebhookMessage,
)  # fmt: skip


def name(model: type[Model]) -> str:
    return model.__name__


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200, address
    return len(captured)


@pytest.mark.parametrize("model", MODELS, ids=name)
def test_every_list_is_there(model: type[Model], staff: Client) -> None:
    assert staff.get(url(model, "changelist")).status_code == 200


@pytest.mark.parametrize("model", ADDABLE, ids=name)
def test_every_add_page_is_there(model: type[Model], staff: Client) -> None:
    assert staff.get(url(model, "add")).status_code == 200


def test_every_object_has_a_page_and_a_history(world: World, staff: Client) -> None:
    assert {type(obj) for obj in world.objects} == set(MODELS)
    for obj in world.objects:
        assert staff.get(url(obj, "change")).status_code == 200, obj
        expected = 404 if isinstance(obj, RECORDS) else 200
        assert staff.get(url(obj, "history")).status_code == expected, obj


def test_pages_ask_as_often_for_many_rows_as_for_few(world: World, staff: Client) -> None:
    lists = [url(model, "changelist") for model in MODELS]
    pages = ["/admin/", *lists, *(url(obj, "change") for obj in world.objects)]
    for page in pages:
        staff.get(page)  # content types are remembered from now on
    before = {page: queries(staff, page) for page in pages}
    grow(world)
    after = {page: queries(staff, page) for page in pages}
    assert after == before
    assert max(after[page] for page in lists) <= 8, after


@pytest.mark.parametrize(
    "query",
    ["last=24h", "outcome=server", "caller=ada", "model_name=smol", "task=chat", "q=nothing",
     "project=0190d8a0-0000-7000-8000-000000000000", "project=odd", "last=odd"],
)  # fmt: skip
def test_calls_can_be_filtered(query: str, world: World, staff: Client) -> None:
    response = staff.get(url(InferenceRecord, "changelist") + f"?{query}")
    assert response.status_code == 200
    kept = query in {"last=24h", "caller=ada", "model_name=smol", "task=chat", "last=odd"}
    assert response.context["cl"].result_count == int(kept)


def test_a_versions_page_leads_to_its_calls(world: World, staff: Client) -> None:
    page = staff.get(url(world.version, "change")).content.decode()
    address = url(InferenceRecord, "changelist") + f"?version_id={world.version.pk}"
    assert address in page
    assert staff.get(address).context["cl"].result_count == 1


def test_text_filters_keep_the_other_filters(world: World, staff: Client) -> None:
    page = staff.get(url(InferenceRecord, "changelist") + "?task=chat&caller=ada").content.decode()
    assert '<input type="hidden" name="task" value="chat">' in page
    assert 'value="ada"' in page


@pytest.mark.parametrize(
    ("query", "column", "value"),
    [
        ("outcome=denied", "outcome", "denied"),
        ("actor=ada", "actor_label", "ada"),
        ("action=project.create", "action", "project.create"),
        ("object=smol", "object_label", "smol"),
        ("object_type=project", "object_type", "project"),
    ],
)
def test_the_audit_log_can_be_filtered(
    query: str, column: str, value: str, world: World, staff: Client
) -> None:
    record_denial(
        actor=Actor(kind="user", label="ada"), action="project.delete", project=world.project,
        reason="No.",
    )  # fmt: skip
    listed = staff.get(url(AuditEvent, "changelist") + f"?{query}").context["cl"]
    assert {getattr(event, column) for event in listed.queryset} == {value}
    assert 0 < listed.result_count < AuditEvent.objects.count()
    nobody = staff.get(url(AuditEvent, "changelist") + "?actor=nobody").context["cl"]
    assert nobody.result_count == 0


def test_the_audit_log_can_be_filtered_by_moment(world: World, staff: Client) -> None:
    address = url(AuditEvent, "changelist") + "?last=1h"
    assert staff.get(address).context["cl"].result_count == AuditEvent.objects.count()
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert staff.get(address).context["cl"].result_count == 0


def test_references_are_searched_for(world: World, staff: Client) -> None:
    found = staff.get(
        "/admin/autocomplete/",
        {
            "term": "smo",
            "app_label": "registry",
            "model_name": "taskdefault",
            "field_name": "model",
        },
    )
    assert [row["text"] for row in found.json()["results"]] == ["smol"]


def test_pages_carry_no_inline_code(world: World, staff: Client) -> None:
    addresses = ["/admin/", *(url(model, "changelist") for model in MODELS)]
    addresses += [url(obj, "change") for obj in world.objects]
    for address in addresses:
        page = staff.get(address)
        text = page.content.decode()
        assert "style=" not in text, address
        assert "<script>" not in text, address
        assert "<style" not in text, address
        assert "unsafe" not in page.headers["Content-Security-Policy"]
