"""Measured values of versions."""

from django.contrib import admin

from authz.admin.audited import RecordAdmin
from intmod_site.admin_lists import PeriodFilter, TextFilter
from registry.models import MetricSample


class MeasuredFilter(PeriodFilter):
    """When."""

    column = "ts"


class MetricFilter(TextFilter):
    """What was measured."""

    title = "metric"
    parameter_name = "metric"
    lookup = "metric"
    placeholder = "latency_ms"


@admin.register(MetricSample)
class MetricSampleAdmin(RecordAdmin):
    """Samples that were reported; what calls measured stands in their own rows."""

    list_display = ["ts", "version", "metric", "value", "source"]
    list_filter = ["source", MeasuredFilter, MetricFilter]
    list_select_related = ["version__model"]
    search_fields = ["=version__identifier"]
    search_help_text = "A version's model id."
    sortable_by = ()
    fields = ["ts", "version", "metric", "value", "source"]
