"""Whether a credential still counts, in lists and on pages."""

from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString


class LiveFilter(SimpleListFilter):
    """Those that count, or those that have ended."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        """Two states."""
        return [("live", "Live"), ("ended", "Revoked or expired")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> Any:
        """Keep one of them."""
        live = queryset.model.objects.live()
        match self.value():
            case "live":
                return queryset & live
            case "ended":
                return queryset.exclude(pk__in=live.values("pk"))
        return queryset


def state(credential: Any) -> SafeString:
    """Show in one word whether an API key or session counts."""
    if credential.revoked_at:
        word, tone = "revoked", "bad"
    elif credential.expires_at and credential.expires_at <= timezone.now():
        word, tone = "expired", "quiet"
    else:
        word, tone = "live", "good"
    return format_html('<span class="mark {}">{}</span>', tone, word)
