"""Making, changing, attaching and removing security policies."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from authz.models import PolicyAttachment, Project, SecurityPolicy, SecurityPolicyVersion
from authz.policies.rules import check_rules
from authz.policies.targets import PolicyTarget, find_target
from intmod_site.api.errors import Conflict, NotFound, PreconditionFailed, ValidationFailed
from intmod_site.conflicts import atomic_unless_taken

MAX_ATTACHED = 10
"""Policies on one target: each is asked at each call."""


def create_policy(
    *, actor: Actor, project: Project, name: str, rules: dict[str, Any], description: str = ""
) -> SecurityPolicy:
    """Create a policy; it is enforced where it is attached.

    Args:
        actor: Who creates it.
        project: Where it belongs.
        name: What people know it by.
        rules: See `authz.policies.rules`.
        description: For people.

    Raises:
        Conflict: The name is taken.
        ValidationFailed, django.core.exceptions.ValidationError: A rule or a field is wrong.
    """
    policy = SecurityPolicy(project=project, name=name, rules=rules, description=description)
    _check(policy)
    with atomic_unless_taken(f"There is a policy called {name} already."):
        policy.save(force_insert=True)
        _keep_version(policy)
        move_revision()
        record_change(
            actor=actor,
            action="securitypolicy.create",
            obj=policy,
            project=project,
            after=state_of(policy),
        )
    return policy


def update_policy(
    *,
    actor: Actor,
    policy: SecurityPolicy,
    changes: dict[str, Any],
    expected_version: int | None = None,
) -> SecurityPolicy:
    """Change a policy; new rules get the next version and count from the next decision on.

    Args:
        actor: Who changes it.
        policy: Which.
        changes: `name`, `description`, `rules`.
        expected_version: The version that the change was made from, where two may edit.

    Raises:
        Conflict, ValidationFailed, django.core.exceptions.ValidationError: As `create_policy`.
        NotFound: It was removed meanwhile.
        PreconditionFailed: It has another version now.
    """
    with atomic_unless_taken(f"There is a policy called {changes.get('name')} already."):
        current = _locked(policy)
        if expected_version is not None and current.version != expected_version:
            raise PreconditionFailed(f"The policy has version {current.version} now.")
        before = state_of(current)
        moved = changes.get("rules", current.rules) != current.rules
        for name, value in changes.items():
            setattr(current, name, value)
        _check(current)
        if moved:
            current.version += 1
            _keep_version(current)
        current.save()
        move_revision()
        record_change(
            actor=actor,
            action="securitypolicy.update",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def delete_policy(*, actor: Actor, policy: SecurityPolicy) -> None:
    """Delete a policy that is attached to nothing.

    Raises:
        Conflict: It is attached.
        NotFound: It was removed meanwhile.
    """
    with transaction.atomic():
        current = _locked(policy)
        attached = current.attachments.first()
        if attached is not None:
            raise Conflict(
                f"{current.name} is attached to {attached.target_label}; detach it first."
            )
        before = state_of(current)
        label = SecurityPolicy(pk=current.pk, name=current.name)
        current.delete()
        move_revision()
        record_change(
            actor=actor,
            action="securitypolicy.delete",
            obj=label,
            project=current.project,
            before=before,
        )


def attach_policy(
    *, actor: Actor, policy: SecurityPolicy, kind: str, target: str
) -> PolicyAttachment:
    """Have a policy enforced on something from the next call on.

    Args:
        actor: Who attaches it.
        policy: Which.
        kind, target: To what, as people write it: `integration`, `crm`.

    Raises:
        Conflict: It is attached to it already.
        NotFound: It was removed meanwhile.
        ValidationFailed: There is no such thing in the project, or it has too many policies.
    """
    with atomic_unless_taken(f"{policy.name} is attached to {target} already."):
        # Locked: whoever removes the policy waits, and then finds it attached.
        current = _locked(policy)
        found = find_target(project_id=current.project_id, kind=kind, reference=target)
        if PolicyAttachment.objects.of(kind, found.id).count() >= MAX_ATTACHED:
            raise ValidationFailed.of("target", f"It has {MAX_ATTACHED} policies already.")
        attachment = PolicyAttachment.objects.create(
            project=current.project,
            policy=current,
            target_kind=kind,
            target_id=found.id,
            target_label=found.label[:200],
        )
        move_revision()
        record_change(
            actor=actor,
            action="securitypolicy.attach",
            obj=current,
            project=current.project,
            after={"attached_to": f"{kind} {found.label}"},
        )
    return attachment


def detach_policy(*, actor: Actor, attachment: PolicyAttachment) -> bool:
    """Have a policy enforced on something no more; False if it was not, any more."""
    with transaction.atomic():
        policy = attachment.policy
        deleted, _ = PolicyAttachment.objects.filter(pk=attachment.pk).delete()
        if deleted:
            move_revision()
            record_change(
                actor=actor,
                action="securitypolicy.detach",
                obj=policy,
                project=attachment.project,
                before={"attached_to": f"{attachment.target_kind} {attachment.target_label}"},
            )
    return bool(deleted)


def detach_all(*, actor: Actor, kind: str, target_ids: Iterable[UUID]) -> None:
    """Detach every policy from what is removed, in the transaction that removes it."""
    rows = PolicyAttachment.objects.filter(target_kind=kind, target_id__in=target_ids)
    for attachment in rows.select_related("policy", "project"):
        detach_policy(actor=actor, attachment=attachment)


def target_of(attachment: PolicyAttachment) -> PolicyTarget:
    """Give what a policy is attached to."""
    return PolicyTarget(attachment.target_kind, attachment.target_id, attachment.target_label)


def _check(policy: SecurityPolicy) -> None:
    check_rules(policy.rules)
    policy.full_clean(exclude=["project", "rules"])


def _keep_version(policy: SecurityPolicy) -> None:
    SecurityPolicyVersion.objects.create(policy=policy, number=policy.version, rules=policy.rules)


def _locked(policy: SecurityPolicy) -> SecurityPolicy:
    rows = SecurityPolicy.objects.select_for_update(of=("self",)).select_related("project")
    current = rows.filter(pk=policy.pk).first()
    if current is None:
        raise NotFound(f"There is no policy called {policy.name}.")
    return current
