"""Permissions held against a model: a set for the role, a set beyond it, a set of scopes."""

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from authz.identity.grants import (
    add_user_permission,
    check_permission,
    named,
    remove_user_permission,
)
from authz.identity.keys import create_api_key
from authz.identity.lookup import find_principal
from authz.identity.memberships import set_membership
from authz.identity.roles import ROLES
from authz.models import Membership
from intmod_site.api.errors import PermissionDenied, ValidationFailed
from tests.factories.authz import ACTOR, MembershipFactory, api_key_for

SOME = (
    "authz.view_auditevent",
    "authz.change_membership",
    "registry.invoke_modelversion",
    "registry.view_registeredmodel",
    "registry.change_modelversion",
)
CHOSEN = st.sampled_from(SOME)
SETS = st.sets(CHOSEN)


class Permissions(RuleBasedStateMachine):
    """One member with a key for everything, and others with scopes."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.member = MembershipFactory(role_name="viewer")
        self.of_role = {
            role: set(named(Group.objects.get(name=role).permissions.all())) for role in ROLES
        }
        self.role, self.extra = "viewer", set[str]()
        self.keys: list[tuple[str, set[str]]] = [(api_key_for(self.member), set())]

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @property
    def granted(self) -> set[str]:
        return self.of_role[self.role] | self.extra

    @rule(role=st.sampled_from(ROLES))
    def change_the_role(self, role: str) -> None:
        group = Group.objects.get(name=role)
        set_membership(actor=ACTOR, user=self.member.user, project=self.member.project, role=group)
        self.member = Membership.objects.get(pk=self.member.pk)
        self.role = role

    @rule(permission=CHOSEN, held=SETS)
    def grant(self, permission: str, held: set[str]) -> None:
        def attempt() -> None:
            add_user_permission(
                actor=ACTOR, membership=self.member, permission=permission, held=frozenset(held)
            )

        if permission in held:
            attempt()
            self.extra.add(permission)
        else:
            with pytest.raises(PermissionDenied):
                attempt()

    @rule(permission=CHOSEN)
    def take_back(self, permission: str) -> None:
        if permission in self.extra:
            remove_user_permission(actor=ACTOR, membership=self.member, permission=permission)
            self.extra.remove(permission)
        else:
            with pytest.raises(ValidationFailed):
                remove_user_permission(actor=ACTOR, membership=self.member, permission=permission)

    @rule(scopes=SETS)
    def issue(self, scopes: set[str]) -> None:
        def attempt() -> str:
            return create_api_key(
                actor=ACTOR,
                user=self.member.user,
                project=self.member.project,
                name="scoped",
                scopes=sorted(scopes),
            )[1]

        if scopes <= self.granted:
            self.keys.append((attempt(), scopes))
        else:
            with pytest.raises(ValidationFailed):
                attempt()

    @invariant()
    def each_key_may_what_the_model_says(self) -> None:
        for text, scopes in self.keys:
            principal = find_principal(text, address=None)
            assert set(principal.permissions) == (self.granted & scopes if scopes else self.granted)
        for permission in SOME:
            asked = check_permission(membership=self.member, permission=permission)
            assert asked is (permission in self.granted)


def test_permissions_are_what_the_model_says(db: None) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Permissions,
        settings=settings(
            max_examples=12,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
