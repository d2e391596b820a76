"""Two who take the same name at the same moment: one gets it, the other is told."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from intmod_site.api.errors import Conflict


@contextmanager
def atomic_unless_taken(message: str) -> Iterator[None]:
    """Run the block in a transaction whose unique constraints decide races.

    Args:
        message: What to tell whoever came second.

    Raises:
        Conflict: A constraint of the database was broken; nothing was changed.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Conflict(message, code="already_exists") from error
