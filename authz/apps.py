"""The app of identities, permissions, secrets and the audit log."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuthzConfig(AppConfig):
    """Keeps the roles in step with the permissions that the installed apps define."""

    name = "authz"
    verbose_name = "Access and audit"
    role_permissions = {
        "viewer": ["view_project", "view_securitypolicy", "view_calllimit"],
        "developer": ["view_apikey", "add_apikey"],
        "operator": ["change_apikey", "delete_apikey", "view_membership"],
        "admin": [
            "add_membership",
            "change_membership",
            "delete_membership",
            "add_project",
            "change_project",
            "delete_project",
            "add_calllimit",
            "change_calllimit",
            "delete_calllimit",
            "view_auditevent",
            "view_session",
            "delete_session",
            "add_securitypolicy",
            "change_securitypolicy",
            "delete_securitypolicy",
        ],
    }

    def ready(self) -> None:
        """Connect what follows a migration, and what is checked."""
        from authz import checks, schema  # noqa: F401
        from authz.identity.roles import create_roles

        # No sender: permissions of every app must be there, so this runs after each of them.
        post_migrate.connect(create_roles, dispatch_uid="authz.create_roles")
