"""Aliases: moved as a whole, only where they were expected."""

import pytest
from django.core.exceptions import ValidationError
from django.db.models import RestrictedError

from authz.audit.actor import Actor
from authz.models import AuditEvent, Project
from intmod_site.api.errors import Conflict, NotFound
from registry.catalog.aliases import alias_named, delete_alias, set_alias
from registry.models import ModelAlias
from tests.registry.conftest import Register


def test_setting_creates_and_then_moves(register: Register, actor: Actor) -> None:
    model = register("a").model
    register("a")
    for number in (1, 2):
        set_alias(actor=actor, model=model, name="champion", version=number, reason="better")
        assert alias_named(model=model, name="champion").version.number == number
    assert ModelAlias.objects.count() == 1
    moved = AuditEvent.objects.filter(action="modelalias.set").first()
    assert moved is not None
    assert moved.changes["reason"] == [None, "better"]


def test_it_moves_only_from_where_it_was_expected(register: Register, actor: Actor) -> None:
    model = register("a").model
    register("a")
    set_alias(actor=actor, model=model, name="champion", version=1)
    with pytest.raises(Conflict) as raised:
        set_alias(actor=actor, model=model, name="champion", version=2, expected_version=2)
    assert raised.value.error_code == "alias_moved"
    assert alias_named(model=model, name="champion").version.number == 1


def test_a_version_that_is_not_there_cannot_be_pointed_at(register: Register, actor: Actor) -> None:
    model = register("a").model
    with pytest.raises(NotFound):
        set_alias(actor=actor, model=model, name="champion", version=7)


@pytest.mark.parametrize("name", ["", "1a", "a b", "a@b", "a:b", "a" * 101])
def test_odd_names_are_refused(register: Register, actor: Actor, name: str) -> None:
    with pytest.raises(ValidationError):
        set_alias(actor=actor, model=register("a").model, name=name, version=1)


def test_a_version_stays_while_an_alias_points_at_it(register: Register, actor: Actor) -> None:
    version = register("a")
    alias = set_alias(actor=actor, model=version.model, name="champion", version=1)
    with pytest.raises(RestrictedError):
        version.delete()
    delete_alias(actor=actor, alias=alias)
    version.delete()


def test_other_models_do_not_lend_their_aliases(
    register: Register, actor: Actor, project: Project
) -> None:
    set_alias(actor=actor, model=register("a").model, name="champion", version=1)
    with pytest.raises(NotFound):
        alias_named(model=register("b").model, name="champion")
