"""Names of users: one that looks the same is the same."""

import unicodedata
from typing import Any

from django.db import models


def normalized(username: str) -> str:
    """Fold case and compatibility forms (UTS 36), so that twins of a name are the same name."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())


class UsernameField(models.CharField):
    """Stored and looked up in its normal form, whichever way the row is written or asked for."""

    def get_prep_value(self, value: Any) -> Any:
        """Give what the database gets."""
        prepared = super().get_prep_value(value)
        return normalized(prepared) if isinstance(prepared, str) else prepared
