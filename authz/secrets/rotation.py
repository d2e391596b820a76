"""Encrypting every stored secret anew under the first key of the ring.

Nothing is kept about how far it came: what is not under the first key yet tells. So it can be
broken off, begun again, and run beside everything else.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models, transaction

from authz.secrets.fields import Ciphertext, EncryptedTextField
from authz.secrets.keyring import SecretUnreadable, current_prefix, decrypt, encrypt

BATCH = 200


@dataclass(slots=True)
class Rotation:
    """What was encrypted anew.

    Args:
        count: Secrets that are under the first key now.
        unreadable: Places of secrets that no key in the ring decrypts.
    """

    count: int = 0
    unreadable: list[str] = field(default_factory=list)


def columns() -> list[tuple[type[models.Model], EncryptedTextField]]:
    """Give every column of secrets, of every app."""
    return [
        (model, column)
        for model in apps.get_models()
        for column in model._meta.concrete_fields
        if isinstance(column, EncryptedTextField)
    ]


def outdated(model: type[models.Model], column: EncryptedTextField) -> models.QuerySet[Any]:
    """Give the rows whose secret is not under the first key."""
    rows = model._base_manager.exclude(**{column.attname: None})
    return rows.exclude(**{f"{column.attname}__startswith": current_prefix()}).order_by("pk")


def outdated_count() -> int:
    """Give how many secrets are not under the first key."""
    return sum(outdated(model, column).count() for model, column in columns())


def rotate(rotation: Rotation) -> Iterator[int]:
    """Encrypt them anew; gives the number looked at after each batch."""
    for model, column in columns():
        yield from _rotate_column(model, column, rotation)


def _rotate_column(
    model: type[models.Model], column: EncryptedTextField, rotation: Rotation
) -> Iterator[int]:
    rows = outdated(model, column).values_list("pk", column.attname)
    after: Any = None
    while batch := list((rows.filter(pk__gt=after) if after is not None else rows)[:BATCH]):
        with transaction.atomic():
            for pk, stored in batch:
                _rotate_one(model, column, pk, stored, rotation)
        after = batch[-1][0]
        yield len(batch)


def _rotate_one(
    model: type[models.Model],
    column: EncryptedTextField,
    pk: Any,
    stored: Ciphertext,
    rotation: Rotation,
) -> None:
    place = column.place(model(pk=pk))
    try:
        renewed = encrypt(decrypt(stored, place), place)
    except SecretUnreadable:
        rotation.unreadable.append(f"{place.table}.{place.field} of {place.row}")
        return
    # Only what was read is replaced: somebody may have set another secret meanwhile.
    same = model._base_manager.filter(pk=pk, **{column.attname: stored})
    rotation.count += same.update(**{column.attname: renewed})
