"""What policies can be attached to; the floors above say so when they are ready."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from intmod_site.api.errors import ValidationFailed


@dataclass(frozen=True, slots=True)
class PolicyTarget:
    """Something that policies are enforced on.

    Args:
        kind: Name of a registered kind.
        id: Its row.
        label: What people know it by.
    """

    kind: str
    id: UUID
    label: str


@dataclass(frozen=True, slots=True)
class TargetKind:
    """A kind of thing that policies can be attached to.

    Args:
        name: As the API writes it, such as `integration`.
        find: From the project's id and what people write to the row's id and label, or None.
        reference: What people write, for messages: "an integration's name".
    """

    name: str
    find: Callable[[UUID, str], tuple[UUID, str] | None]
    reference: str


_kinds: dict[str, TargetKind] = {}


def register_target_kind(kind: TargetKind) -> None:
    """Let policies be attached to a kind of thing; apps call it when they are ready."""
    _kinds[kind.name] = kind


def target_kinds() -> dict[str, TargetKind]:
    """Give the registered kinds by name."""
    return dict(_kinds)


def find_target(*, project_id: UUID, kind: str, reference: str) -> PolicyTarget:
    """Give what a policy is to be attached to.

    Args:
        project_id: In which project.
        kind: A registered kind.
        reference: What people write.

    Raises:
        ValidationFailed: There is no such kind, or nothing of the kind in the project.
    """
    known = _kinds.get(kind)
    if known is None:
        raise ValidationFailed.of("kind", f"One of {', '.join(sorted(_kinds))}.")
    found = known.find(project_id, reference)
    if found is None:
        raise ValidationFailed.of("target", f"There is none here: {known.reference}.")
    return PolicyTarget(kind, *found)
