"""The form of a version: tasks to check, prices and limits as numbers, the rest as it is."""

from decimal import Decimal
from typing import Any

from django import forms

from intmod_site.service_admin import ServiceForm
from registry.catalog.capabilities import callable_providers
from registry.catalog.version_fields import MAX_TOKENS
from registry.models import ModelVersion
from registry.tasks import TASKS

PRICES = (
    "input_usd_per_mtok", "output_usd_per_mtok", "cached_input_usd_per_mtok",
    "cache_write_usd_per_mtok",
)  # fmt: skip
PARTS = {"max_tokens_limit": "limits"} | dict.fromkeys(PRICES, "prices")
"""Fields of the form that are parts of a column."""

EMPTIED = {"parameters": dict, "tags": dict}


def _price(label: str) -> forms.DecimalField:
    return forms.DecimalField(
        required=False,
        min_value=Decimal(0),
        max_value=Decimal(10**9),
        label=label,
        help_text="USD per million tokens; empty is unknown.",
    )


class VersionForm(ServiceForm):
    """A version."""

    identifier = forms.CharField(
        required=False,
        max_length=200,
        label="Model id",
        help_text="A name of its own in the project; left empty: <model>-<number>.",
    )
    tasks = forms.MultipleChoiceField(
        required=False,
        choices=[(task, task) for task in TASKS],
        widget=forms.CheckboxSelectMultiple,
        help_text="What it can be asked to do.",
    )
    max_tokens_limit = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_TOKENS,
        label="Limit of max_tokens",
        help_text="What one call may ask for.",
    )
    input_usd_per_mtok = _price("Price of input")
    output_usd_per_mtok = _price("Price of output")
    cached_input_usd_per_mtok = _price("Of cached input")
    cache_write_usd_per_mtok = _price("Of input to the cache")
    shown_as = {
        "model_id": "identifier",
        "limits": "max_tokens_limit",
        "prices": "input_usd_per_mtok",
        "prices/output_usd_per_mtok": "output_usd_per_mtok",
        "prices/cached_input_usd_per_mtok": "cached_input_usd_per_mtok",
        "prices/cache_write_usd_per_mtok": "cache_write_usd_per_mtok",
    }

    class Meta:
        model = ModelVersion
        fields: list[str] = []
        help_texts = {
            "parameters": 'Defaults of calls, as JSON: {"temperature": 0.2, "max_tokens": 200}.',
            "tags": 'A JSON object of texts: {"team": "search"}.',
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("max_tokens_limit", self.instance.limits.get("max_tokens"))
        if "provider" in self.fields:
            able = ", ".join(callable_providers())
            self.fields["provider"].help_text = f"Can be called: {able}. Others are only listed."
        for name in PRICES:
            self.initial.setdefault(name, self.instance.prices.get(name))

    def given(self) -> dict[str, Any]:
        """Give the columns."""
        values = self._columns(super().given())
        return values | {"model_id": values.pop("identifier", "") or None}

    def changed(self) -> dict[str, Any]:
        """Give the changed columns; limits and prices as wholes."""
        return self._columns(super().changed())

    def _columns(self, values: dict[str, Any]) -> dict[str, Any]:
        columns = {name: value for name, value in values.items() if name not in PARTS}
        touched = {PARTS[name] for name in values if name in PARTS}
        if "limits" in touched:
            limit = self.cleaned_data.get("max_tokens_limit")
            columns["limits"] = {} if limit is None else {"max_tokens": limit}
        if "prices" in touched:
            columns["prices"] = {
                name: format(price, "f")
                for name in PRICES
                if (price := self.cleaned_data.get(name)) is not None
            }
        for name, empty in EMPTIED.items():
            if columns.get(name, ...) is None:
                columns[name] = empty()
        return columns
