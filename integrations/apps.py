"""The app of the outside world."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class IntegrationsConfig(AppConfig):
    """Connections to external systems."""

    name = "integrations"
    verbose_name = "Integrations"
    role_permissions = {
        "viewer": [
            "view_integration",
            "view_callrecord",
            "view_webhookendpoint",
            "view_eventtype",
            "view_webhookmessage",
            "view_webhookdelivery",
            "view_inboundsource",
            "view_receivedevent",
            "view_worker",
        ],
        "developer": ["call_integration", "publish_webhookmessage"],
        "operator": [
            "add_integration",
            "change_integration",
            "delete_integration",
            "add_webhookendpoint",
            "change_webhookendpoint",
            "delete_webhookendpoint",
            "replay_webhookdelivery",
            "add_eventtype",
            "change_eventtype",
            "delete_eventtype",
            "add_inboundsource",
            "change_inboundsource",
            "delete_inboundsource",
            "replay_receivedevent",
        ],
    }

    def ready(self) -> None:
        """Register what lower floors ask about, our jobs, and the catalogue of event types."""
        from authz.policies.targets import register_target_kind
        from integrations.connections.policies import INTEGRATION
        from integrations.engine.jobs import register_job
        from integrations.engine.measures import EngineMeasures
        from integrations.engine.schema import check_tables
        from integrations.webhooks.built_in import write_built_in
        from integrations.webhooks.inbound.policies import INBOUND_SOURCE
        from integrations.webhooks.inbound.schema import register_inbound_endpoint
        from integrations.webhooks.policies import WEBHOOK_ENDPOINT
        from intmod_site.health import CHECKS
        from intmod_site.metrics import asked

        register_target_kind(INTEGRATION)
        register_target_kind(INBOUND_SOURCE)
        register_target_kind(WEBHOOK_ENDPOINT)
        register_inbound_endpoint()
        register_job("engine.periodic", "integrations.engine.periodic.run_tick")
        CHECKS["engine"] = check_tables
        asked.append(EngineMeasures())
        post_migrate.connect(
            write_built_in, sender=self, dispatch_uid="integrations.write_built_in"
        )
