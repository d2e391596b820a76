"""A model field for secrets: assigned as plaintext, stored and held as ciphertext.

Reading the attribute gives a `Secret`, which shows nothing of itself until it is told to reveal.
"""

from typing import Any

from django.db import models

from authz.secrets.keyring import Place, SecretUnreadable, decrypt, encrypt, fingerprint

SECRET_MASK = "********"  # noqa: S105 -- what a form sends back for a secret that stays
"""Stands for a stored secret; sent back, it keeps the secret."""

UNREADABLE = "unreadable"
"""Shown of a secret whose encryption key is gone."""


class Ciphertext(str):
    """Text as it is stored; tells the field what it need not encrypt again."""

    __slots__ = ()


class Secret:
    """A stored secret of one row."""

    __slots__ = ("_ciphertext", "_place")

    def __init__(self, ciphertext: Ciphertext, place: Place) -> None:
        self._ciphertext = ciphertext
        self._place = place

    def reveal(self) -> str:
        """Give the plaintext, for whoever sends it where it belongs.

        Raises:
            SecretUnreadable: See `authz.secrets.keyring.decrypt`.
        """
        return decrypt(self._ciphertext, self._place)

    @property
    def ciphertext(self) -> Ciphertext:
        """The stored form."""
        return self._ciphertext

    def hint(self) -> str:
        """Give what may be shown: the last four characters, where the secret is long enough."""
        plaintext = self.reveal()
        return f"…{plaintext[-4:]}" if len(plaintext) >= 16 else "…"

    def fingerprint(self) -> str:
        """Give a keyed hash of the plaintext, the same for equal secrets."""
        return fingerprint(self.reveal())

    def shown(self) -> tuple[str, str]:
        """Give hint and fingerprint, also of a secret that cannot be read any more."""
        try:
            return self.hint(), self.fingerprint()
        except SecretUnreadable:
            return UNREADABLE, UNREADABLE

    def is_mask(self, text: str | None) -> bool:
        """Whether somebody sent back what stands for this secret, and not another one."""
        return text is not None and text in {SECRET_MASK, self.shown()[0]}

    def __repr__(self) -> str:
        return "<Secret>"

    __str__ = __repr__


class _SecretAttribute:
    """Encrypts what is assigned, wraps what is read."""

    def __init__(self, field: "EncryptedTextField") -> None:
        self.field = field

    def __get__(
        self, instance: models.Model | None, owner: type[models.Model] | None = None
    ) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.field.attname])
        stored = instance.__dict__[self.field.attname]
        return Secret(stored, self.field.place(instance)) if stored else None

    def __set__(self, instance: models.Model, value: str | Secret | None) -> None:
        if isinstance(value, Secret):
            value = value.ciphertext
        if value and not isinstance(value, Ciphertext):
            value = Ciphertext(encrypt(value, self.field.place(instance)))
        instance.__dict__[self.field.attname] = value or None


class EncryptedTextField(models.TextField):
    """A secret bound to its table, row and column; its row has an id before it is saved."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"null": True, "blank": True, "editable": False}
        super().__init__(*args, **kwargs)

    def contribute_to_class(
        self, cls: type[models.Model], name: str, *args: Any, **kwargs: Any
    ) -> None:
        """Put our attribute in the place of Django's."""
        super().contribute_to_class(cls, name, *args, **kwargs)
        setattr(cls, name, _SecretAttribute(self))

    def place(self, instance: models.Model) -> Place:
        """Say where this row's secret is stored."""
        if instance.pk is None:
            raise ValueError("A secret is bound to its row: the row needs its id first.")
        return Place(self.model._meta.db_table, str(instance.pk), self.attname)

    def from_db_value(
        self, value: str | None, expression: Any, connection: Any
    ) -> Ciphertext | None:
        """Mark what comes from the database as encrypted."""
        return Ciphertext(value) if value else None

    def to_python(self, value: Any) -> Any:
        """Leave the value alone: full_clean must not turn a `Secret` into its text."""
        return value

    def pre_save(self, model_instance: models.Model, add: bool) -> str | None:
        """Store the ciphertext."""
        stored = model_instance.__dict__.get(self.attname)
        return str(stored) if stored else None

    def value_to_string(self, obj: models.Model) -> str:
        """Serialize (dumpdata) the ciphertext only."""
        return str(obj.__dict__.get(self.attname) or "")
