"""Deciding by policies whether something may leave, or be stored. Pure: no database, no clock.

A policy is a handful of checks, compiled once by `authz.policies.rules`. Each check looks at one
part of what is about to happen and gives a reason for each thing that it refuses.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

MAX_REASONS = 20
"""Reasons given for one decision: a list of a million wrong items needs no million reasons."""

PARTS = frozenset({"data", "method", "path", "source", "at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRequest:
    """What is about to leave or to be stored.

    Args:
        data: The body as JSON; None counts as an empty object.
        method: HTTP method.
        path: Where it goes, below the base of whoever is called.
        source: IP address that it comes from.
        at: When, with a time zone.
    """

    data: Any = None
    method: str | None = None
    path: str | None = None
    source: str | None = None
    at: datetime


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is refused.

    Args:
        pointer: JSON Pointer (RFC 6901) into the request: `/data/customer/email`, `/method`.
        rule: JSON Pointer into the policy's rules.
        message: One sentence, without values of the request.
        policy: Which policy refuses, as `name:version`.
        recorded: The pointer with every name replaced by `*` that the policy does not know: names
            are the caller's too, and the audit log is to hold nothing of theirs.
    """

    pointer: str
    rule: str
    message: str
    policy: str = ""
    recorded: str = ""


class Check(Protocol):
    """One compiled rule."""

    @property
    def needs(self) -> str:
        """The part of the request that it looks at: one of PARTS."""
        ...

    def refusals(self, request: PolicyRequest) -> Iterable[Reason]:
        """Give what is wrong; nothing if all is well."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as it is enforced.

    Args:
        label: `name:version`.
        checks: What is looked at.
        vocabulary: Names that stand in its rules.
        max_response_bytes: Longest answer that may be taken; None leaves it to the caller.
    """

    label: str
    checks: tuple[Check, ...]
    vocabulary: frozenset[str] = field(default=frozenset(), repr=False)
    max_response_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it may happen, and by which policies.

    Args:
        reasons: Empty if it may.
        policies: Labels of all policies that were asked.
        max_response_bytes: The shortest limit of any of them; None if there is none.
    """

    reasons: tuple[Reason, ...] = ()
    policies: tuple[str, ...] = ()
    max_response_bytes: int | None = None

    @property
    def allowed(self) -> bool:
        """Whether it may happen."""
        return not self.reasons

    @property
    def label(self) -> str:
        """The policies that were asked, for records: `pii:3 office-hours:1`."""
        return " ".join(self.policies)


UNRESTRICTED = Decision()
"""The decision of no policy at all."""


def decide(
    policies: tuple[Policy, ...], request: PolicyRequest, *, known: frozenset[str] = PARTS
) -> Decision:
    """Ask all policies; one that refuses is enough.

    Args:
        policies: Which.
        request: About what.
        known: The parts of the request that are told. A dry run may leave some out; enforcing
            leaves out none, and what is not there is refused.
    """
    if not policies:
        return UNRESTRICTED
    limits = [
        policy.max_response_bytes for policy in policies if policy.max_response_bytes is not None
    ]
    return Decision(
        reasons=tuple(islice(_reasons(policies, request, known), MAX_REASONS)),
        policies=tuple(policy.label for policy in policies),
        max_response_bytes=min(limits, default=None),
    )


def _reasons(
    policies: tuple[Policy, ...], request: PolicyRequest, known: frozenset[str]
) -> Iterator[Reason]:
    for policy in policies:
        for check in policy.checks:
            if check.needs in known:
                for reason in check.refusals(request):
                    yield Reason(
                        reason.pointer,
                        reason.rule,
                        reason.message,
                        policy.label,
                        _recorded(reason.pointer, policy.vocabulary),
                    )


def _recorded(pointer: str, vocabulary: frozenset[str]) -> str:
    if not pointer.startswith("/data/"):
        return pointer
    parts = pointer.removeprefix("/data/").split("/")
    return "/data/" + "/".join(part if part in vocabulary else "*" for part in parts)
