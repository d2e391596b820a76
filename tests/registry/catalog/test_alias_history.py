"""Where aliases pointed: as of any moment, without gaps, and back again."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.audit.actor import Actor
from authz.models import AuditEvent, Project
from intmod_site.api.errors import Conflict, NotFound
from registry.catalog.aliases import alias_named, delete_alias, roll_back, set_alias
from registry.catalog.services import delete_model
from registry.catalog.versions import delete_version
from registry.models import AliasChange, RegisteredModel
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
PATH = "registry/models/a/aliases/champion"


@pytest.fixture
def model(register: Register) -> RegisteredModel:
    versions = [register("a") for _ in range(4)]
    return versions[0].model


@pytest.fixture
def api(project: Project) -> ApiClient:
    return ApiClient(api_key_for(MembershipFactory(project=project)))


def move(actor: Actor, model: RegisteredModel, *numbers: int) -> None:
    for number in numbers:
        set_alias(actor=actor, model=model, name="champion", version=number)


def pointed_at(model: RegisteredModel) -> int:
    return alias_named(model=model, name="champion").version.number


def test_the_history_answers_for_every_moment(
    actor: Actor, model: RegisteredModel, api: ApiClient
) -> None:
    with time_machine.travel(BEGIN, tick=False) as clock:
        for number in (1, 2, 3):
            move(actor, model, number)
            clock.shift(timedelta(hours=1))
        delete_alias(actor=actor, alias=alias_named(model=model, name="champion"))
        clock.shift(timedelta(hours=1))
        move(actor, model, 1)

    def as_of(moment: datetime) -> list[int | None]:
        rows = api.ok("GET", f"{PATH}/history?as_of={quote(moment.isoformat())}")["results"]
        return [row["version"] for row in rows]

    hour, instant = timedelta(hours=1), timedelta(microseconds=1)
    assert as_of(BEGIN - instant) == []
    assert as_of(BEGIN) == [1]
    assert as_of(BEGIN + hour - instant) == [1]
    assert as_of(BEGIN + hour) == [2]
    assert as_of(BEGIN + 2.5 * hour) == [3]
    assert as_of(BEGIN + 3 * hour) == [None]
    assert as_of(BEGIN + 9 * hour) == [1]
    rows = api.ok("GET", f"{PATH}/history")["results"]
    assert [row["sequence"] for row in rows] == [5, 4, 3, 2, 1]
    assert [row["valid_until"] for row in rows[1:]] == [row["valid_from"] for row in rows[:-1]]
    assert rows[0]["valid_until"] is None
    assert [row["previous_version"] for row in rows] == [None, 3, 2, 1, None]


def test_a_move_to_where_it_points_is_none(actor: Actor, model: RegisteredModel) -> None:
    move(actor, model, 1, 1, 1)
    assert AliasChange.objects.count() == 1
    assert AuditEvent.objects.filter(action="modelalias.set").count() == 1


def test_two_moves_in_one_instant_are_two_intervals(actor: Actor, model: RegisteredModel) -> None:
    with time_machine.travel(BEGIN, tick=False):
        move(actor, model, 1, 2, 3)
    begins = list(AliasChange.objects.order_by("sequence").values_list("valid_from", flat=True))
    assert begins == sorted(set(begins))
    assert len(begins) == 3


def test_rollbacks_go_back_one_after_the_other(actor: Actor, model: RegisteredModel) -> None:
    move(actor, model, 1, 2, 3)
    roll_back(actor=actor, model=model, name="champion")
    assert pointed_at(model) == 2
    roll_back(actor=actor, model=model, name="champion")
    assert pointed_at(model) == 1
    with pytest.raises(Conflict) as raised:
        roll_back(actor=actor, model=model, name="champion")
    assert raised.value.error_code == "nothing_to_roll_back"
    move(actor, model, 4)
    roll_back(actor=actor, model=model, name="champion")
    assert pointed_at(model) == 1
    assert AuditEvent.objects.filter(action="modelalias.rollback").count() == 3


def test_a_rollback_leaps_over_deleted_versions(actor: Actor, model: RegisteredModel) -> None:
    move(actor, model, 1, 2, 3)
    delete_version(actor=actor, version=model.versions.get(number=2))
    roll_back(actor=actor, model=model, name="champion")
    assert pointed_at(model) == 1


def test_a_rollback_over_the_api(actor: Actor, model: RegisteredModel, api: ApiClient) -> None:
    api.refused(404, "POST", f"{PATH}/rollback", {})
    move(actor, model, 1, 2)
    api.refused(409, "POST", f"{PATH}/rollback", {"expected_version": 1})
    body = {"expected_version": 2, "reason": "errors"}
    assert api.ok("POST", f"{PATH}/rollback", body)["version"] == 1
    newest = api.ok("GET", f"{PATH}/history")["results"][0]
    assert (newest["restores"], newest["reason"], newest["version"]) == (1, "errors", 1)


def test_nothing_yet_can_be_expected(actor: Actor, model: RegisteredModel) -> None:
    set_alias(actor=actor, model=model, name="champion", version=1, expected_version=0)
    with pytest.raises(Conflict):
        set_alias(actor=actor, model=model, name="champion", version=2, expected_version=0)


def test_the_history_stays_as_it_is(actor: Actor, model: RegisteredModel) -> None:
    move(actor, model, 1)
    change = AliasChange.objects.get()
    with pytest.raises(TypeError):
        change.save()
    with pytest.raises(TypeError):
        change.delete()


def test_it_outlives_the_model(actor: Actor, model: RegisteredModel) -> None:
    move(actor, model, 1)
    delete_model(actor=actor, model=model)
    assert [row.version_number for row in AliasChange.objects.order_by("sequence")] == [1, None]


def test_a_version_with_an_alias_is_not_deleted(actor: Actor, model: RegisteredModel) -> None:
    move(actor, model, 2)
    with pytest.raises(Conflict):
        delete_version(actor=actor, version=model.versions.get(number=2))
    delete_version(actor=actor, version=model.versions.get(number=1))
    with pytest.raises(NotFound):
        set_alias(actor=actor, model=model, name="champion", version=1)


def test_odd_moments(model: RegisteredModel, api: ApiClient) -> None:
    for text in ("yesterday", "9999-12-31T23:59:59-23:00", "%00"):
        api.refused(400, "GET", f"{PATH}/history?as_of={text}")
    api.refused(404, "GET", "registry/models/none/aliases/champion/history")


def test_the_history_costs_the_same_at_any_length(
    actor: Actor, model: RegisteredModel, api: ApiClient
) -> None:
    counts = []
    for numbers in ((1, 2), (1, 2, 3, 4, 1, 2)):
        move(actor, model, *numbers)
        api.ok("GET", f"{PATH}/history")  # what the process remembers is loaded anew
        with CaptureQueriesContext(connection) as captured:
            api.ok("GET", f"{PATH}/history")
        counts.append(len(captured))
    assert counts[0] == counts[1]
