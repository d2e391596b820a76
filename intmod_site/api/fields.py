"""Serializer fields that take exactly what they say: no number for text, no `true` for 1."""

from typing import Any

from rest_framework import serializers

from intmod_site.api.strict_json import check_string

NOT_TEXT = "Not a text."
UNITS = ("_s", "_ms", "_bytes", "_usd")
"""What names of fields end with where the number has a unit."""


class TextField(serializers.CharField):
    """Text, given as a JSON string; DRF's own field also takes numbers."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse other types, and characters that a database cannot store."""
        if not isinstance(data, str):
            raise serializers.ValidationError(NOT_TEXT, code="invalid")
        check_string(
            data, refuse=lambda message: serializers.ValidationError(message, code="invalid")
        )
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A whole number, given as a JSON integer: neither "3" nor 3.0 nor true."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse other types."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class NumberField(serializers.FloatField):
    """A number, given as a JSON number."""

    def to_internal_value(self, data: Any) -> float:
        """Refuse other types."""
        if not isinstance(data, int | float) or isinstance(data, bool):
            self.fail("invalid")
        return float(super().to_internal_value(data))


class FlagField(serializers.BooleanField):
    """true or false, and nothing that looks like them."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse other types."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return bool(data)


class ObjectField(serializers.DictField):
    """A JSON object with values of any kind."""

    child = serializers.JSONField()


class StringMapField(serializers.DictField):
    """A JSON object whose values are all text: tags, headers."""

    child = TextField(allow_blank=True, max_length=5000)


class ChoiceField(serializers.ChoiceField):
    """One of the given words."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is not text before looking it up."""
        if not isinstance(data, str):
            raise serializers.ValidationError(NOT_TEXT, code="invalid")
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not know, instead of dropping them unseen."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown and read-only fields by name, then validate as usual."""
        if isinstance(data, dict):
            refused = {
                name: ["This field cannot be set." if name in self.fields else self._unknown(name)]
                for name in data
                if name not in self.fields or self.fields[name].read_only
            }
            if refused:
                raise serializers.ValidationError(refused, code="unknown_field")
        return super().to_internal_value(data)

    def _unknown(self, name: str) -> str:
        """Say that there is no such field, and which there is if only the unit is missing."""
        named = (f"{name}{unit}" for unit in UNITS)
        meant = next((field for field in named if field in self.fields), None)
        return "Unknown field." if meant is None else f"Unknown field; here it is {meant}."


class NoBody(StrictSerializer):
    """For actions that take nothing: a body with a field in it is a mistake worth telling."""
