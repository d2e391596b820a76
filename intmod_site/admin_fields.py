"""Form fields of the admin that take what the API takes, and refuse what it refuses."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from intmod_site.api.errors import ApiError
from intmod_site.api.strict_json import parse_json

MAX_BYTES = 1024 * 1024


class StrictJSONField(forms.JSONField):
    """JSON read by the API's own parser: neither NUL nor too deep nor the same key twice."""

    def to_python(self, value: Any) -> Any:
        """Read it, or say what is wrong with it."""
        if self.disabled or not isinstance(value, str) or isinstance(value, InvalidJSONInput):
            return super().to_python(value)
        if value in self.empty_values:
            return None
        try:
            return parse_json(value.encode("utf-8", "surrogatepass"), limit_bytes=MAX_BYTES)
        except ApiError as error:
            message = error.message.replace("The body", "This", 1)
            raise ValidationError(message, code="invalid", params={"value": value}) from None

    def prepare_value(self, value: Any) -> Any:
        """Show what is stored line by line; what was typed stays as it was typed."""
        if isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Give back what was typed where it cannot be read."""
        try:
            return super().bound_data(data, initial)
        except (RecursionError, ValueError):
            return InvalidJSONInput(data)
