"""Staff changing their own password."""

from django.contrib import admin
from django.contrib.auth.forms import PasswordChangeForm

from authz.admin.confirmation import AsksForPassword
from authz.audit.actor import Actor
from authz.identity.members import update_user
from authz.models import User


class OwnPasswordForm(AsksForPassword, PasswordChangeForm):
    """Django's form, saved by our service: recorded, and ending sessions of the API."""

    required_css_class = "required"

    def clean_old_password(self) -> str:
        """Check it; who finds the browser open may not guess on."""
        return self.confirmed(str(self.cleaned_data["old_password"]))

    def save(self, commit: bool = True) -> User:
        """Change the password; Django keeps this browser's session by what we return."""
        user = self.user
        saved = update_user(
            actor=Actor(kind=user.kind, label=user.username, id=str(user.pk), credential="admin"),
            user=user,
            changes={},
            password=self.cleaned_data["new_password1"],
        )
        # The view rehashes the session with the object that it gave us.
        user.password = saved.password
        return saved


admin.site.password_change_form = OwnPasswordForm
