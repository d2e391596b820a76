"""Scopes: the part of its holder's permissions that a credential keeps."""

from collections.abc import Set as AbstractSet

from intmod_site.api.errors import FieldError, ValidationFailed


def checked_scopes(scopes: list[str], *, held: AbstractSet[str]) -> list[str]:
    """Give the scopes sorted, each once.

    Raises:
        ValidationFailed: One is not a permission that the issuer holds: nobody hands out more
            than they have.
    """
    problems = tuple(
        FieldError(f"/scopes/{index}", "not_held", f"You do not hold the permission {scope}.")
        for index, scope in enumerate(scopes)
        if scope not in held
    )
    if problems:
        raise ValidationFailed(f"scopes: {problems[0].message}", fields=problems)
    return sorted(set(scopes))
