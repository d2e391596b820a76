"""Tables of who is calling, what they may do, and what was done."""

from authz.models.audit import AuditEvent
from authz.models.audit_chain import AuditCheckpoint, AuditPruneMarker, AuditSeal
from authz.models.credentials import APIKey, Session
from authz.models.kernel import ConfigurationRevision, IdempotencyRecord
from authz.models.limits import CallLimit, HoldAccount, RateBucket
from authz.models.ownership import ProjectOwned
from authz.models.policies import PolicyAttachment, SecurityPolicy, SecurityPolicyVersion
from authz.models.projects import Membership, Project
from authz.models.scoping import ProjectOwnedQuerySet
from authz.models.users import User

__all__ = [
    "APIKey",
    "AuditCheckpoint",
    "AuditEvent",
    "AuditPruneMarker",
    "AuditSeal",
    "CallLimit",
    "ConfigurationRevision",
    "HoldAccount",
    "IdempotencyRecord",
    "Membership",
    "PolicyAttachment",
    "Project",
    "ProjectOwned",
    "ProjectOwnedQuerySet",
    "RateBucket",
    "SecurityPolicy",
    "SecurityPolicyVersion",
    "Session",
    "User",
]
