"""The site itself as an app: system checks, extensions, static files."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class SiteConfig(AppConfig):
    """Loads what the whole site needs once all apps are there."""

    name = "intmod_site"
    verbose_name = "intmod"

    def ready(self) -> None:
        """Register the system checks and let extension modules extend the API."""
        from intmod_site import checks  # noqa: F401
        from intmod_site.api.extensions import extensions

        extensions.load(settings.INTMOD_EXTENSIONS)


class AdminConfig(DjangoAdminConfig):
    """Django's admin with our site class."""

    default_site = "intmod_site.admin.IntmodAdminSite"
