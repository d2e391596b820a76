"""The app of the outside world."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Connections to external systems."""

    name = "integrations"
    verbose_name = "Integrations"
    role_permissions = {
        "viewer": ["view_integration", "view_callrecord"],
        "developer": ["call_integration"],
        "operator": ["add_integration", "change_integration", "delete_integration"],
    }

    def ready(self) -> None:
        """Let policies be attached to integrations."""
        from authz.policies.targets import register_target_kind
        from integrations.connections.policies import INTEGRATION

        register_target_kind(INTEGRATION)
