"""Memberships over the API held against a model: who may let in, raise, change and let out whom."""

import json
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from authz.identity.grants import permissions_named
from authz.models import Membership
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, ProjectFactory, UserFactory, api_key_for

PATH = "auth/memberships"
VIEW, ADD, CHANGE, DELETE = (
    f"authz.{verb}_membership" for verb in ("view", "add", "change", "delete")
)
LOOK, CALL = "registry.view_route", "registry.invoke_modelversion"
MAY = {
    "reader": {VIEW, LOOK},
    "caller": {LOOK, CALL},
    "clerk": {VIEW, ADD, CHANGE, DELETE},
    "chief": {VIEW, ADD, CHANGE, DELETE, LOOK, CALL},
}
ROLES = st.sampled_from(sorted(MAY))
EXTRAS = st.sets(st.sampled_from(sorted(MAY["chief"])), max_size=3)
PEOPLE = st.sampled_from((1, 0, 2, 3))
ACTORS = st.sampled_from((1, 1, 0, 2, 3))


class Members(RuleBasedStateMachine):
    """Four people and their API keys; the model is a role and a set for each who is a member."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        for name, granted in MAY.items():
            Group.objects.create(name=name).permissions.set(permissions_named(granted).values())
        self.project = ProjectFactory()
        self.users = [UserFactory() for _ in range(4)]
        self.role: dict[int, str] = {0: "chief", 1: "clerk"}
        self.extra: dict[int, set[str]] = {0: set(), 1: set()}
        self.ids: dict[int, str] = {}
        self.clients = [ApiClient("none") for _ in self.users]
        for person, role in self.role.items():
            member = MembershipFactory(
                user=self.users[person], project=self.project, role=Group.objects.get(name=role)
            )
            self.arrive(person, str(member.pk))

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    def arrive(self, person: int, membership: str) -> None:
        self.ids[person] = membership
        row = Membership.objects.select_related("user", "project").get(pk=membership)
        self.clients[person] = ApiClient(api_key_for(row))

    def held(self, person: int) -> set[str]:
        return MAY[self.role[person]] | self.extra[person] if person in self.role else set()

    def lets_in(self, held: dict[int, set[str]]) -> bool:
        return any(CHANGE in permissions for permissions in held.values())

    def ask(self, actor: int, method: str, path: str, body: Any, expected: int) -> Any:
        answer = self.clients[actor].call(method, path, body)
        assert answer.status_code == expected, answer.content
        return json.loads(answer.content)["data"] if answer.content else None

    def refusal(self, actor: int, needed: str) -> int | None:
        if actor not in self.role:
            return 401
        return None if needed in self.held(actor) else 403

    @rule(actor=ACTORS, person=PEOPLE, role=ROLES, extra=EXTRAS)
    def let_in(self, actor: int, person: int, role: str, extra: set[str]) -> None:
        expected = self.refusal(actor, ADD)
        if expected is None and person in self.role:
            expected = 409
        if expected is None and not MAY[role] | extra <= self.held(actor):
            expected = 403
        body = {
            "username": self.users[person].username, "role": role,
            "extra_permissions": sorted(extra),
        }  # fmt: skip
        made = self.ask(actor, "POST", PATH, body, expected or 201)
        if expected is None:
            self.role[person], self.extra[person] = role, extra
            self.arrive(person, made["id"])

    @rule(actor=ACTORS, person=PEOPLE, role=ROLES)
    def change_the_role(self, actor: int, person: int, role: str) -> None:
        expected = self.refusal(actor, CHANGE) or self.out_of_reach(actor, person)
        if expected is None and role != self.role[person]:
            if not MAY[role] <= self.held(actor):
                expected = 403
            elif self.leaves_nobody(person, MAY[role] | self.extra[person]):
                expected = 409
        self.ask(actor, "PATCH", self.path(person), {"role": role}, expected or 200)
        if expected is None:
            self.role[person] = role

    @rule(actor=ACTORS, person=PEOPLE, extra=EXTRAS)
    def change_what_is_beyond_it(self, actor: int, person: int, extra: set[str]) -> None:
        expected = self.refusal(actor, CHANGE) or self.out_of_reach(actor, person)
        if expected is None:
            if not extra - self.extra[person] <= self.held(actor):
                expected = 403
            elif self.leaves_nobody(person, MAY[self.role[person]] | extra):
                expected = 409
        body = {"extra_permissions": sorted(extra)}
        self.ask(actor, "PATCH", self.path(person), body, expected or 200)
        if expected is None:
            self.extra[person] = extra

    @rule(actor=ACTORS, person=PEOPLE)
    def let_out(self, actor: int, person: int) -> None:
        expected = self.refusal(actor, DELETE) or self.out_of_reach(actor, person)
        if expected is None and self.leaves_nobody(person, set()):
            expected = 409
        self.ask(actor, "DELETE", self.path(person), None, expected or 204)
        if expected is None:
            del self.role[person], self.extra[person]

    def path(self, person: int) -> str:
        return f"{PATH}/{self.ids.get(person) or uuid4()}"

    def out_of_reach(self, actor: int, person: int) -> int | None:
        if person not in self.role:
            return 404
        return None if self.held(person) <= self.held(actor) else 403

    def leaves_nobody(self, person: int, then: set[str]) -> bool:
        after = {one: self.held(one) for one in self.role} | {person: then}
        return not self.lets_in(after)

    @invariant()
    def each_may_what_the_model_says_and_nobody_else_is_there(self) -> None:
        for person, client in enumerate(self.clients):
            if person in self.role:
                assert set(client.ok("GET", "auth/me")["permissions"]) == self.held(person)
            else:
                client.refused(401, "GET", "auth/me")

    @invariant()
    def somebody_can_let_others_in(self) -> None:
        assert self.lets_in({person: self.held(person) for person in self.role})


def test_members_are_what_the_model_says(db: None) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Members,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
