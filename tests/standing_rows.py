"""What migrations leave in the tables, put back after a flush.

Django's flush asks each app to make its content types, permissions and roles anew, which takes
longer than most tests do; the rows that were there are the same.
"""

from typing import Any

from django.apps import apps
from django.core.management.commands import flush
from django.db import transaction
from django.db.models import Model


def keep() -> None:
    """Remember the rows that are there now, and put them back at each flush from now on."""
    rows = [
        (model, list(model._base_manager.all()))
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    standing = [(model, there) for model, there in rows if there]

    def put_back(verbosity: int, interactive: bool, db: str, **_: Any) -> None:
        with transaction.atomic(using=db):
            for model, there in standing:
                model._base_manager.using(db).bulk_create(_fresh(model, there))

    setattr(flush, "emit_post_migrate_signal", put_back)  # noqa: B010 -- the stubs lack it


def _fresh(model: type[Model], rows: list[Any]) -> list[Any]:
    """Copies, since an object that was saved once takes what the database gives back."""
    names = [field.attname for field in model._meta.concrete_fields]
    return [model(**{name: getattr(row, name) for name in names}) for row in rows]
