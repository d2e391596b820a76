"""The app of models: which exist, how well they do, calling them."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Makes the providers known to the catalog and the AI endpoints to the schema."""

    name = "registry"
    verbose_name = "Models"
    role_permissions = {
        "viewer": [
            "view_registeredmodel",
            "view_modelversion",
            "view_modelalias",
            "view_route",
            "view_metricsample",
            "view_inferencerecord",
            "view_aliaschange",
            "view_protectedalias",
            "view_approvalrequest",
            "view_metricdefinition",
            "view_threshold",
            "view_alert",
            "view_silence",
            "view_optimizationrule",
            "view_recommendation",
            "view_taskdefault",
        ],
        "developer": ["invoke_modelversion", "add_metricsample", "add_approvalrequest"],
        "operator": [
            "add_registeredmodel",
            "change_registeredmodel",
            "delete_registeredmodel",
            "add_modelversion",
            "change_modelversion",
            "delete_modelversion",
            "review_approvalrequest",
            "add_metricdefinition",
            "change_metricdefinition",
            "delete_metricdefinition",
            "add_threshold",
            "change_threshold",
            "delete_threshold",
            "change_alert",
            "add_silence",
            "delete_silence",
            "add_optimizationrule",
            "change_optimizationrule",
            "delete_optimizationrule",
            "change_recommendation",
            "add_modelalias",
            "change_modelalias",
            "delete_modelalias",
            "add_route",
            "change_route",
            "delete_route",
            "add_taskdefault",
            "change_taskdefault",
            "delete_taskdefault",
        ],
        "admin": ["add_protectedalias", "change_protectedalias", "delete_protectedalias"],
    }

    def ready(self) -> None:
        """Describe the plain views in the OpenAPI schema, and make the providers known."""
        from authz.policies.targets import register_target_kind
        from integrations.webhooks.built_in import register_event_types
        from intmod_site.api.shapes import register_shape
        from registry.catalog.capabilities import register_provider
        from registry.catalog.policies import MODEL_VERSION
        from registry.catalog.protection import register_gate
        from registry.inference.providers import ADAPTERS, IN_PROCESS
        from registry.inference.schema import register_ai_endpoints
        from registry.inference.surfaces.schema import register_surfaces
        from registry.inference.surfaces.speaker import refuse
        from registry.inference.usage_view import register_usage
        from registry.monitoring.alerting.checks import no_critical_alert
        from registry.monitoring.announcements import register_announcer
        from registry.monitoring.metric_views import register_samples
        from registry.monitoring.webhooks import EVENT_TYPES, publish_announcement

        register_event_types(EVENT_TYPES)
        register_announcer(publish_announcement)
        register_gate("no_critical_alert", no_critical_alert)
        for name, provider in IN_PROCESS.items():
            register_provider(name, provider.tasks_of, remote=False)
        for name, adapter in ADAPTERS.items():
            register_provider(name, adapter.tasks_of, remote=True)
        register_ai_endpoints()
        register_surfaces()
        register_shape("/v1/", refuse)
        register_usage()
        register_samples()
        register_target_kind(MODEL_VERSION)
