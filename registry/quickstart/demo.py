"""What a fresh installation needs before its first call. Running it again changes nothing."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from authz.audit.actor import Actor
from authz.identity.keys import create_api_key
from authz.identity.lookup import find_principal
from authz.identity.members import create_project, create_user
from authz.identity.memberships import set_membership
from authz.identity.roles import ADMIN, role_named
from authz.models import Project, User
from intmod_site.api.errors import NotAuthenticated
from registry.catalog.services import set_task_default
from registry.catalog.versions import register_model
from registry.inference.providers.local import LOCAL_MODELS
from registry.models import ModelVersion, TaskDefault

ADMIN_NAME = "admin"
PROJECT_SLUG = "demo"
ACTOR = Actor.command("quickstart")
LOCAL_MAX_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo project and how to get in; the password is known only when it was just made."""

    username: str
    password: str | None
    project: str
    api_key: str


def prepare() -> Demo:
    """Migrate, and create what is missing of: admin user, demo project, key, models, defaults."""
    call_command("migrate", verbosity=0, interactive=False)
    user, password = _admin()
    project = Project.objects.filter(slug=PROJECT_SLUG).first() or create_project(
        actor=ACTOR, slug=PROJECT_SLUG, name="Demo"
    )
    if not user.memberships.filter(project=project).exists():
        set_membership(actor=ACTOR, user=user, project=project, role=role_named(ADMIN))
    _register_local_models(project)
    return Demo(user.username, password, project.slug, _api_key(user, project))


def _admin() -> tuple[User, str | None]:
    user = User.objects.filter(username=ADMIN_NAME).first()
    if user is not None:
        return user, None
    password = secrets.token_urlsafe(15)
    return (
        create_user(
            actor=ACTOR, username=ADMIN_NAME, password=password, is_staff=True, is_superuser=True
        ),
        password,
    )


def _register_local_models(project: Project) -> None:
    registered = set(
        ModelVersion.objects.in_project(project.pk).values_list("identifier", flat=True)
    )
    taken = set(TaskDefault.objects.in_project(project.pk).values_list("task", flat=True))
    for name, local in LOCAL_MODELS.items():
        if name in registered:
            continue
        version = register_model(
            actor=ACTOR,
            project=project,
            model_name=name,
            model_type=local.model_type,
            model_id=name,
            provider="local",
            provider_model=name,
            tasks=sorted(local.tasks),
            limits={"max_tokens": LOCAL_MAX_TOKENS} if "chat" in local.tasks else {},
            # Running in our own process costs nobody money per token.
            prices={"input_usd_per_mtok": "0", "output_usd_per_mtok": "0"},
        )
        for task in sorted(local.tasks - taken):
            set_task_default(actor=ACTOR, project=project, task=task, model=version.model)


def _api_key(user: User, project: Project) -> str:
    """Give the demo key kept from the last run while it counts, else a new one.

    It lies beside the keys that development made for itself: whoever reads them can sign
    credentials anyway.
    """
    kept = Path(settings.DATA_DIR) / "keys" / "quickstart_api_key"
    if kept.exists():
        text = kept.read_text(encoding="ascii")
        try:
            find_principal(text, address=None)
        except NotAuthenticated:
            pass
        else:
            return text
    _key, text = create_api_key(actor=ACTOR, user=user, project=project, name="quickstart")
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept.touch(mode=0o600)
    kept.write_text(text, encoding="ascii")
    return text
