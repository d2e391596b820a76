"""The URL map: every surface of the product, each app's part from the app itself."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from intmod_site.api.extensions import extensions
from intmod_site.api.unknown import unknown_route
from intmod_site.health import healthz, readyz
from intmod_site.metrics import metrics_view

urlpatterns = [
    # First: routes are tried in order, and these are asked most.
    path("api/v1/ai/", include("registry.inference.urls")),
    path("", include("registry.inference.surfaces.urls")),
    path("", RedirectView.as_view(pattern_name="admin:index", http_method_names=["get", "head"])),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics_view),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="docs/api.html"),
        name="docs",
    ),
    path("api/v1/", include("authz.urls")),
    path("api/v1/", include("integrations.urls")),
    path("api/v1/", include("registry.urls")),
    path("api/v1/", include(extensions.endpoints)),
    path("api/", include("registry.catalog.mlflow.urls")),
    # [\s\S]: a dot would let paths with an encoded line break through to Django's HTML 404.
    re_path(r"^api(?:/[\s\S]*)?$", unknown_route),
    path("admin/", admin.site.urls),
]
