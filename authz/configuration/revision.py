"""The number that moves with every change to what calls depend on."""

from django.db import connection, transaction

from authz.models.kernel import ConfigurationRevision

# By hand: every change of the configuration does it.
_MOVE = f"UPDATE {ConfigurationRevision._meta.db_table} SET number = number + 1 WHERE id = 1"  # noqa: S608 -- our own name


def move_revision() -> None:
    """Move the revision in the change's own transaction: other processes see both or neither.

    Raises:
        TransactionManagementError: Outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "The revision moves with a change, in its transaction."
        )
    with connection.cursor() as cursor:
        cursor.execute(_MOVE)
        updated = cursor.rowcount
    if not updated:
        ConfigurationRevision.objects.create(id=1, number=1)


def read_revision() -> int:
    """Give the current number; the call path reads it joined with the credential instead."""
    return ConfigurationRevision.objects.filter(id=1).values_list("number", flat=True).first() or 0
