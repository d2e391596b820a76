"""The admin site: Django's own, with our name on it and the last 24 hours on its first page."""

from django.contrib import admin


class IntmodAdminSite(admin.AdminSite):
    """Where staff work."""

    site_header = "intmod"
    site_title = "intmod"
    index_title = "Overview"
    site_url = "/api/docs"
