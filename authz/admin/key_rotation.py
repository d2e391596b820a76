"""The form that rotates an API key."""

from typing import Any

from django import forms
from django.utils.crypto import constant_time_compare, salted_hmac

from authz.identity.keys import DEFAULT_GRACE_S, MAX_GRACE_S
from authz.models import APIKey

GRACES = {
    0: "not at all: it ends now",
    DEFAULT_GRACE_S: "one hour",
    86_400: "one day",
    MAX_GRACE_S: "seven days",
}


class RotationForm(forms.Form):
    """How long the text before counts, and which text that is: a form counts once."""

    grace_s = forms.TypedChoiceField(
        label="The present text still counts",
        choices=list(GRACES.items()),
        coerce=int,
        initial=DEFAULT_GRACE_S,
        help_text="A text before the present one ends in any case.",
    )
    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, key: APIKey, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not the stored hash itself, which no page shows.
        self.state = salted_hmac("authz.rotate", key.secret_hash).hexdigest()[:16]
        self.initial["seen"] = self.state

    def clean(self) -> dict[str, Any]:
        """Refuse a form that was sent before, or that somebody else overtook."""
        cleaned = super().clean() or {}
        if not constant_time_compare(cleaned.get("seen", ""), self.state):
            raise forms.ValidationError(
                "The key was rotated since this page was opened. Open it again to rotate it again."
            )
        return cleaned
