"""Access and audit in the admin."""

from authz.admin import (
    api_keys,
    audit,
    call_limits,
    confirmation,
    logins,
    memberships,
    passwords,
    policies,
    policy_attachments,
    projects,
    roles,
    sessions,
    users,
)

__all__ = [
    "api_keys",
    "audit",
    "call_limits",
    "confirmation",
    "logins",
    "memberships",
    "passwords",
    "policies",
    "policy_attachments",
    "projects",
    "roles",
    "sessions",
    "users",
]
