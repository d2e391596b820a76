"""People and service accounts."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models import Q

from authz.ids import new_id
from authz.models.usernames import UsernameField, normalized


class UserQuerySet(models.QuerySet["User"]):
    """Reads of users."""

    def service_accounts(self) -> "UserQuerySet":
        """Only accounts that are not people."""
        return self.filter(kind=User.Kind.SERVICE)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Creates users; `authz.identity.services` is what the product calls."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find by the name as it is stored, however it was typed."""
        return self.get(username=User.normalize_username(username or ""))

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person; without a password they cannot log in."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person who may do everything in the admin."""
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody or something that acts: a person, or a service account owned by one."""

    class Kind(models.TextChoices):
        """Whether there is a person behind the account."""

        HUMAN = "human", "Person"
        SERVICE = "service", "Service account"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = UsernameField(
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        help_text="Stored in lower case and NFKC form, so that no two names look the same.",
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.HUMAN)
    email = models.EmailField(blank=True)
    full_name = models.CharField(max_length=150, blank=True)
    owner = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="service_accounts",
        limit_choices_to={"kind": Kind.HUMAN},
        help_text="Who answers for a service account.",
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May log in to the admin.")
    # Sessions remember the epoch they began in; a later one ends them all at their next request.
    credential_epoch = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"

    class Meta:
        ordering = ["username"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="human") | Q(is_staff=False, is_superuser=False),
                name="service_account_has_no_admin",
                violation_error_message="A service account cannot log in to the admin.",
            ),
            models.CheckConstraint(
                condition=Q(kind="human", owner=None) | Q(kind="service", owner__isnull=False),
                name="service_account_has_owner",
                violation_error_message="A service account has an owner, a person has none.",
            ),
        ]

    def __str__(self) -> str:
        return self.username

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Give a name as it is stored."""
        return normalized(username)

    def clean(self) -> None:
        """Normalise the name before it is checked for uniqueness."""
        self.username = self.normalize_username(self.username)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save under the normalised name, whichever way the row is written."""
        self.username = self.normalize_username(self.username)
        super().save(*args, **kwargs)

    def check_password(self, raw_password: str | None) -> bool:
        """Check the password; a hash that is made anew on the way is no new password."""
        epoch = self.credential_epoch
        correct = super().check_password(raw_password)
        self.credential_epoch = epoch
        return correct

    def set_password(self, raw_password: str | None) -> None:
        """Change the password, which ends every session that began before."""
        if raw_password is not None and self.kind == self.Kind.SERVICE:
            raise ValueError("A service account has no password; give it an API key.")
        super().set_password(raw_password)
        self.credential_epoch += 1
