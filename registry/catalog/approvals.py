"""Approvals: asked by one person, answered by another."""

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from intmod_site.api.errors import Conflict, PermissionDenied, ValidationFailed
from intmod_site.conflicts import atomic_unless_taken
from registry.models import ApprovalRequest, ModelVersion

State = ApprovalRequest.State


def request_approval(
    *, actor: Actor, version: ModelVersion, alias: str, comment: str = ""
) -> ApprovalRequest:
    """Ask whether a version may take an alias.

    Raises:
        Conflict: The same is asked already.
    """
    if version.status != ModelVersion.Status.READY:
        raise Conflict(f"{version} is not ready.", code="version_not_ready")
    with atomic_unless_taken(f"{version} waits for approval as {alias} already."):
        approval = ApprovalRequest(
            project=version.project,
            version=version,
            alias=alias,
            comment=comment,
            requester_id=actor.id,
            requester_label=actor.label[:200],
        )
        approval.full_clean(
            exclude=["project", "version", "requester_id"], validate_constraints=False
        )
        approval.save(force_insert=True)
        record_change(
            actor=actor,
            action="approvalrequest.create",
            obj=approval,
            project=version.project,
            after=state_of(approval),
        )
    return approval


def approve(*, actor: Actor, approval: ApprovalRequest, comment: str = "") -> ApprovalRequest:
    """Answer that the version may take the alias; see `_answer` for what is raised."""
    return _answer(actor, approval, State.APPROVED, comment)


def reject(*, actor: Actor, approval: ApprovalRequest, comment: str = "") -> ApprovalRequest:
    """Answer that it may not; see `_answer` for what is raised."""
    return _answer(actor, approval, State.REJECTED, comment)


def _answer(
    actor: Actor, approval: ApprovalRequest, state: ApprovalRequest.State, comment: str
) -> ApprovalRequest:
    """Answer once.

    Raises:
        PermissionDenied: The one who asked would answer.
        Conflict: It was answered meanwhile.
    """
    if len(comment) > 1000:
        raise ValidationFailed.of("comment", "At most 1000 characters.")
    if actor.id and actor.id == approval.requester_id:
        raise PermissionDenied("Who asks for an approval does not give it.")
    with transaction.atomic():
        before = state_of(approval)
        answered = ApprovalRequest.objects.filter(pk=approval.pk, state=State.PENDING).update(
            state=state,
            reviewer_label=actor.label[:200],
            review_comment=comment,
            reviewed_at=timezone.now(),
        )
        current = ApprovalRequest.objects.select_related(
            "version__model", "version__project", "project"
        ).get(pk=approval.pk)
        if not answered:
            raise Conflict(
                f"It was {current.state.lower()} by {current.reviewer_label} already.",
                code="already_reviewed",
            )
        record_change(
            actor=actor,
            action=f"approvalrequest.{'approve' if state == State.APPROVED else 'reject'}",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current
