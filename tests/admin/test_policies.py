"""Security policies in the admin: written, tried out, attached; refusals stand at the field."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from authz.identity import members
from authz.models import AuditEvent, PolicyAttachment, SecurityPolicy
from tests.admin.forms import errors, submit, url
from tests.admin.world import ACTOR, PASSWORD, World


def test_a_policy_is_created_and_changed(world: World, staff: Client) -> None:
    made = {"project": world.project.pk, "name": "hours", "rules": '{"methods": ["GET"]}'}
    assert submit(staff, SecurityPolicy, **made).status_code == 302
    policy = SecurityPolicy.objects.get(name="hours")
    assert submit(staff, policy, rules='{"methods": ["PUT"]}').status_code == 302
    policy.refresh_from_db()
    assert (policy.version, policy.rules) == (2, {"methods": ["PUT"]})
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.actor_label) == ("securitypolicy.update", "ada")


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ('{"methods": ["get"]}', "One of GET"),
        ('{"methods": ', "not JSON"),
        ('{"methods": ["GET"], "methods": []}', "twice"),
        ("[" * 100_000, "nested deeper"),
        ('{"validation_rules": {"a": {"one_of": ["\\u0000"]}}}', "NUL"),
        ("[1]", "object"),
    ],
)
def test_wrong_rules_are_refused_at_the_field(
    world: World, staff: Client, rules: str, said: str
) -> None:
    assert said in str(errors(submit(staff, world.policy, rules=rules))["rules"])
    assert SecurityPolicy.objects.get(pk=world.policy.pk).version == 1


def test_a_policy_is_tried_out(world: World, staff: Client) -> None:
    address = reverse("admin:authz_securitypolicy_try", args=[world.policy.pk])
    assert address in staff.get(url(world.policy, "change")).content.decode()
    assert staff.get(address).status_code == 200
    events = AuditEvent.objects.count()

    def decided(**told: str) -> Any:
        return staff.post(address, told).context

    assert decided(body='{"email": "x"}')["decision"].allowed
    refused = decided(body="{}", path="/x")
    assert [reason.pointer for reason in refused["decision"].reasons] == ["/data/email"]
    assert refused["not_judged"] == ["method", "source"]
    assert decided()["decision"].allowed, "what is not told is not judged"
    assert "decision" not in decided(body="[" * 100_000)
    assert AuditEvent.objects.count() == events
    missing = reverse("admin:authz_securitypolicy_try", args=[world.project.pk])
    assert staff.get(missing).status_code == 404


def test_a_policy_is_attached_and_detached(world: World, staff: Client) -> None:
    made = {"policy": world.policy.pk, "kind": "model_version", "target": "smol:1"}
    add = url(PolicyAttachment, "add")
    assert staff.post(add, made).status_code == 302
    attachment = PolicyAttachment.objects.get(target_kind="model_version")
    assert attachment.target_id == world.version.pk
    assert "smol:1" in staff.get(url(world.policy, "change")).content.decode()
    assert staff.post(url(attachment, "change"), {}).status_code == 403
    assert staff.post(url(attachment, "delete"), {"post": "yes"}).status_code == 302
    assert not PolicyAttachment.objects.filter(pk=attachment.pk).exists()
    assert "target" in errors(staff.post(add, made | {"target": "none"}))


def test_an_attached_policy_is_not_deleted(world: World, staff: Client) -> None:
    response = staff.post(url(world.policy, "delete"), {"post": "yes"}, follow=True)
    assert "detach it first" in response.content.decode()
    assert SecurityPolicy.objects.filter(pk=world.policy.pk).exists()


def test_staff_who_may_only_look_only_look(world: World) -> None:
    user = members.create_user(actor=ACTOR, username="eve", password=PASSWORD, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_securitypolicy"))
    client = Client()
    client.force_login(user)
    for obj in (world.policy, world.attachment):
        assert client.get(url(obj, "change")).status_code == 200
        assert client.get(url(type(obj), "add")).status_code == 403
        assert client.post(url(obj, "delete"), {"post": "yes"}).status_code == 403
    user.user_permissions.clear()
    for page in (url(world.attachment, "change"), url(world.policy, "change")):
        assert client.get(page).status_code == 403
    assert (
        client.get(reverse("admin:authz_securitypolicy_try", args=[world.policy.pk])).status_code
        == 403
    )
