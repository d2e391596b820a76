"""Routes of identity, policies and the audit log, below /api/v1."""

from django.urls import path, register_converter

from authz.views import identity as views
from authz.views.audit import AuditEventViewSet, AuditVerifyView
from authz.views.call_limits import LimitViewSet
from authz.views.memberships import MembershipViewSet
from authz.views.policies import PolicyAttachmentViewSet, PolicyVersionViewSet, PolicyViewSet
from authz.views.projects import ProjectsViewSet
from authz.views.service_accounts import ServiceAccountViewSet
from authz.views.sessions import SessionViewSet
from intmod_site.api.converters import RowIdConverter

register_converter(RowIdConverter, "row_id")

urlpatterns = [
    path("auth/token", views.TokenView.as_view()),
    path("auth/token/refresh", views.TokenRefreshView.as_view()),
    path("auth/token/revoke", views.TokenRevokeView.as_view()),
    path("auth/token/verify", views.TokenVerifyView.as_view()),
    path("auth/me", views.MeView.as_view()),
    path("auth/permissions/check", views.PermissionCheckView.as_view()),
    path("auth/users/<uuid:user_id>/permissions", views.UserPermissionView.as_view()),
    path("auth/api-keys", views.APIKeyViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "auth/api-keys/<uuid:pk>",
        views.APIKeyViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path("auth/api-keys/<uuid:pk>/rotate", views.APIKeyViewSet.as_view({"post": "rotate"})),
    path("auth/sessions", SessionViewSet.as_view({"get": "list"})),
    path(
        "auth/sessions/<uuid:pk>",
        SessionViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
    ),
    path(
        "auth/service-accounts",
        ServiceAccountViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path(
        "auth/service-accounts/<uuid:pk>",
        ServiceAccountViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path(
        "auth/service-accounts/<uuid:pk>/api-keys",
        ServiceAccountViewSet.as_view({"post": "issue_key"}),
    ),
    path("auth/projects", ProjectsViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "auth/projects/<uuid:pk>",
        ProjectsViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path("auth/memberships", MembershipViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "auth/memberships/<uuid:pk>",
        MembershipViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path("auth/limits", LimitViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "auth/limits/<uuid:pk>",
        LimitViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("policies", PolicyViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "policies/<uuid:pk>",
        PolicyViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("policies/<uuid:pk>/evaluate", PolicyViewSet.as_view({"post": "evaluate"})),
    path("policies/<uuid:policy_id>/versions", PolicyVersionViewSet.as_view({"get": "list"})),
    path(
        "policies/<uuid:policy_id>/attachments",
        PolicyAttachmentViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path(
        "policies/<uuid:policy_id>/attachments/<uuid:pk>",
        PolicyAttachmentViewSet.as_view({"delete": "destroy"}),
    ),
    path("audit/events", AuditEventViewSet.as_view({"get": "list"})),
    path("audit/verify", AuditVerifyView.as_view()),
    path("audit/events/<row_id:pk>", AuditEventViewSet.as_view({"get": "retrieve"})),
]
