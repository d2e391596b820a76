"""Projects, and who works in them as what."""

from typing import Any, ClassVar

from django.contrib.auth.models import Group, Permission
from django.core.validators import RegexValidator
from django.db import models

from authz.ids import new_id
from authz.models.scoping import ProjectOwnedQuerySet
from authz.models.users import User

SLUG = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


class Project(models.Model):
    """Everything that is owned belongs to one project; projects do not see each other."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(
        max_length=63,
        unique=True,
        validators=[
            RegexValidator(rf"\A{SLUG}\Z", "Lower-case letters, digits and inner hyphens.")
        ],
    )
    name = models.CharField(max_length=150)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    project_path = "id"
    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class MembershipQuerySet(ProjectOwnedQuerySet["Membership"]):
    """Reads of memberships."""

    def of(self, *, user: User, project: Project) -> "Membership | None":
        """Give the user's membership in the project, if there is one."""
        return self.filter(user=user, project=project).select_related("role").first()


class Membership(models.Model):
    """A user's place in a project: a role, and permissions beyond it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.ForeignKey(Group, models.PROTECT, related_name="memberships")
    extra_permissions = models.ManyToManyField(Permission, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["project", "user"]
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="one_membership_per_project")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}"
