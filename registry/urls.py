"""Routes of models, below /api/v1."""

from typing import Any

from django.urls import path, register_converter

from intmod_site.api.converters import NumberConverter
from registry.catalog import alias_views
from registry.catalog import views as catalog
from registry.catalog.route_views import RouteViewSet
from registry.monitoring import alert_views, metric_views, rule_views
from registry.monitoring.views import PerformanceViewSet

register_converter(NumberConverter, "number")

MODEL = "registry/models/<str:name>"
VERSION = f"{MODEL}/versions/<number:number>"
ROW: Any = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
ALIAS = f"{MODEL}/aliases/<str:alias>"

urlpatterns = [
    path("registry/models", catalog.ModelViewSet.as_view({"get": "list", "post": "create"})),
    path(
        MODEL,
        catalog.ModelViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path(f"{MODEL}/versions", catalog.VersionViewSet.as_view({"get": "list", "post": "create"})),
    path(
        VERSION,
        catalog.VersionViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path(f"{VERSION}/card", catalog.VersionViewSet.as_view({"get": "card"})),
    path(f"{VERSION}/deactivate", catalog.VersionViewSet.as_view({"post": "deactivate"})),
    path(
        f"{VERSION}/performance", PerformanceViewSet.as_view({"get": "current", "post": "report"})
    ),
    path(f"{VERSION}/approvals", alias_views.ApprovalRequestViewSet.as_view({"post": "create"})),
    path(f"{VERSION}/check", alert_views.VersionHealthViewSet.as_view({"post": "check"})),
    path(f"{VERSION}/optimize", alert_views.VersionHealthViewSet.as_view({"post": "optimize"})),
    path("db/metrics", metric_views.metrics),
    path(
        "registry/metrics",
        metric_views.DefinitionViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path("registry/metrics/<path:key>", metric_views.DefinitionViewSet.as_view(ROW)),
    path(
        "registry/thresholds",
        alert_views.ThresholdViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path("registry/thresholds/<uuid:pk>", alert_views.ThresholdViewSet.as_view(ROW)),
    path("registry/alerts", alert_views.AlertViewSet.as_view({"get": "list"})),
    path("registry/alerts/<uuid:pk>", alert_views.AlertViewSet.as_view({"get": "retrieve"})),
    path(
        "registry/alerts/<uuid:pk>/acknowledge",
        alert_views.AlertViewSet.as_view({"post": "acknowledge"}),
    ),
    path(
        "registry/silences", alert_views.SilenceViewSet.as_view({"get": "list", "post": "create"})
    ),
    path(
        "registry/silences/<uuid:pk>",
        alert_views.SilenceViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
    ),
    path("registry/rules", rule_views.RuleViewSet.as_view({"get": "list", "post": "create"})),
    path("registry/rules/<uuid:pk>", rule_views.RuleViewSet.as_view(ROW)),
    path("registry/recommendations", rule_views.RecommendationViewSet.as_view({"get": "list"})),
    path(
        "registry/recommendations/<uuid:pk>",
        rule_views.RecommendationViewSet.as_view({"get": "retrieve"}),
    ),
    *(
        path(
            f"registry/recommendations/<uuid:pk>/{verb}",
            rule_views.RecommendationViewSet.as_view({"post": verb}),
        )
        for verb in ("accept", "dismiss", "apply")
    ),
    path(f"{MODEL}/aliases", alias_views.AliasViewSet.as_view({"get": "list"})),
    path(
        ALIAS,
        alias_views.AliasViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
    path(f"{ALIAS}/history", alias_views.AliasHistoryViewSet.as_view({"get": "list"})),
    path(f"{ALIAS}/rollback", alias_views.AliasViewSet.as_view({"post": "rollback"})),
    path(
        "registry/protected-aliases",
        alias_views.ProtectionViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path(
        "registry/protected-aliases/<str:name>",
        alias_views.ProtectionViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path("registry/approvals", alias_views.ApprovalViewSet.as_view({"get": "list"})),
    path("registry/approvals/<uuid:pk>", alias_views.ApprovalViewSet.as_view({"get": "retrieve"})),
    path(
        "registry/approvals/<uuid:pk>/approve",
        alias_views.ApprovalViewSet.as_view({"post": "approve"}),
    ),
    path(
        "registry/approvals/<uuid:pk>/reject",
        alias_views.ApprovalViewSet.as_view({"post": "reject"}),
    ),
    path("registry/routes", RouteViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "registry/routes/<str:name>",
        RouteViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("registry/versions", catalog.AllVersionsViewSet.as_view({"get": "list"})),
    path(
        "registry/versions/<path:model_id>", catalog.AllVersionsViewSet.as_view({"get": "retrieve"})
    ),
]
