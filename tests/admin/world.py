"""Something of everything that the admin shows, and a way to have more of it."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.utils import timezone

from authz.audit.actor import Actor
from authz.identity import keys, members, memberships, roles, sessions
from authz.limits.call_limits import create_call_limit
from authz.models import (
    APIKey,
    AuditEvent,
    CallLimit,
    Membership,
    PolicyAttachment,
    Project,
    SecurityPolicy,
    Session,
    User,
)
from authz.policies.services import attach_policy, create_policy
from integrations.connections.services import register_integration
from integrations.models import CallRecord, Integration
from integrations.webhooks.services import publish
from registry.catalog import aliases, routes, services, versions
from registry.models import (
    InferenceRecord,
    MetricSample,
    ModelAlias,
    ModelVersion,
    RegisteredModel,
    Route,
    TaskDefault,
)
from tests.admin.heard import hear, hear_more
from tests.admin.told import add_attempt, tell
from tests.admin.watched import watch
from tests.admin.working import work
from tests.factories.integrations import CallRecordFactory

ACTOR = Actor(kind="system", label="tests")
PASSWORD = "correct horse battery staple"
SECRET = "sk-live-0123456789abcdefWXYZ"


@dataclass(frozen=True)
class World:
    staff: User
    project: Project
    membership: Membership
    key: APIKey
    key_text: str
    session: Session
    policy: SecurityPolicy
    attachment: PolicyAttachment
    integration: Integration
    model: RegisteredModel
    version: ModelVersion
    alias: ModelAlias
    default: TaskDefault
    route: Route
    limit: CallLimit
    external_call: CallRecord
    record: InferenceRecord
    sample: MetricSample
    watched: list[Any]
    told: list[Any]
    heard: list[Any]
    working: list[Any]

    @property
    def objects(self) -> list[Any]:
        """One object of every kind that is in the admin."""
        return [
            self.staff,
            self.project,
            self.membership,
            self.key,
            self.session,
            self.policy,
            self.attachment,
            self.integration,
            self.external_call,
            self.model,
            self.version,
            self.alias,
            self.default,
            self.route,
            self.limit,
            self.record,
            self.sample,
            *self.watched,
            *self.told,
            *self.heard,
            *self.working,
            Group.objects.get(name="admin"),
            AuditEvent.objects.first(),
        ]


def build() -> World:
    """Make one of everything, through the services."""
    staff = members.create_user(
        actor=ACTOR, username="ada", password=PASSWORD, is_staff=True, is_superuser=True
    )
    project = members.create_project(actor=ACTOR, slug="shop", name="Shop")
    membership = memberships.set_membership(
        actor=ACTOR, user=staff, project=project, role=roles.role_named("admin")
    )
    key, key_text = keys.create_api_key(actor=ACTOR, user=staff, project=project, name="frontend")
    sessions.log_in(username="ada", password=PASSWORD)
    integration = register_integration(
        actor=ACTOR, project=project, name="crm", base_url="https://crm.example.com", api_key=SECRET
    )
    policy = create_policy(
        actor=ACTOR, project=project, name="pii", rules={"required_fields": ["email"]}
    )
    version = register(project, "smol")
    return World(
        staff=staff,
        project=project,
        membership=membership,
        key=key,
        key_text=key_text,
        session=Session.objects.get(),
        policy=policy,
        attachment=attach_policy(actor=ACTOR, policy=policy, kind="integration", target="crm"),
        integration=integration,
        external_call=external_call(integration),
        model=version.model,
        version=version,
        alias=aliases.set_alias(actor=ACTOR, model=version.model, name="champion", version=1),
        default=services.set_task_default(
            actor=ACTOR, project=project, task="chat", model=version.model
        ),
        route=routes.create_route(
            actor=ACTOR, project=project, name="spread", targets=[{"model": "smol"}]
        ),
        limit=create_call_limit(actor=ACTOR, project=project, requests_per_minute=60),
        record=call(version),
        sample=MetricSample.objects.create(
            version=version, metric="latency_ms", value=1.5, ts=timezone.now()
        ),
        watched=watch(version),
        told=tell(project),
        heard=hear(project),
        working=work(),
    )


def external_call(integration: Integration, **fields: Any) -> CallRecord:
    """Record an attempt to call an integration."""
    return CallRecordFactory(
        integration_id=integration.pk, project_id=integration.project_id, **fields
    )


def register(project: Project, name: str) -> ModelVersion:
    """Register one more version of a small local model."""
    return versions.register_model(
        actor=ACTOR,
        project=project,
        model_name=name,
        model_type="llm",
        provider="local",
        provider_model="smollm2-135m-instruct",
        tasks=["generate", "chat"],
    )


def call(version: ModelVersion, **fields: Any) -> InferenceRecord:
    """Record a call of a version; says only what differs from one that went well."""
    values = {
        "created_at": timezone.now(),
        "project_id": version.project_id,
        "user_id": uuid4(),
        "user_label": "ada",
        "credential": "api_key:abcdefghijkl",
        "request_id": uuid4().hex,
        "task": "chat",
        "version_id": version.pk,
        "model": version.model.name,
        "version": version.number,
        "provider": "local",
        "status": 200,
        "latency_ms": 10.0,
        "cost_usd": Decimal("0.001"),
    }
    return InferenceRecord.objects.create(**values | fields)


def grow(world: World, count: int = 12) -> None:
    """Make more of everything."""
    for index in range(count):
        user = members.create_user(actor=ACTOR, username=f"user{index}", password=PASSWORD)
        project = members.create_project(actor=ACTOR, slug=f"project{index}", name="More")
        memberships.set_membership(
            actor=ACTOR, user=user, project=project, role=roles.role_named("viewer")
        )
        keys.create_api_key(actor=ACTOR, user=user, project=project, name="more")
        sessions.log_in(username=user.username, password=PASSWORD)
        register_integration(
            actor=ACTOR, project=project, name="more", base_url="https://more.example.com"
        )
        external_call(world.integration, is_error=True, error_code="http_503", status=503)
        external_call(world.integration, created_at=timezone.now() - timedelta(hours=index))
        version = register(project, f"more{index}")
        policy = create_policy(actor=ACTOR, project=project, name="more", rules={})
        attach_policy(actor=ACTOR, policy=policy, kind="integration", target="more")
        register(world.project, "smol")
        aliases.set_alias(actor=ACTOR, model=version.model, name="champion", version=1)
        aliases.set_alias(actor=ACTOR, model=world.model, name=f"more{index}", version=1)
        services.set_task_default(actor=ACTOR, project=project, task="chat", model=version.model)
        routes.create_route(
            actor=ACTOR, project=project, name="spread", targets=[{"model": "smol"}] * 3
        )
        create_call_limit(actor=ACTOR, project=project, parallel_calls=5)
        now = timezone.now()
        call(version, created_at=now - timedelta(hours=index), latency_ms=5.0 * index)
        call(version, status=504, error_code="upstream_timeout")
        MetricSample.objects.create(version=version, metric="latency_ms", value=1, ts=now)
        watch(version, name=f"{index}")
        tell(world.project, name=f"{index}")
        publish("order.created", {"n": index}, project=world.project)
        add_attempt(world.told[-1], hours_ago=index)
        hear(project)
        hear_more(world.heard[0], index)
        work(name=f"{index}")
        Group.objects.create(name=f"role{index}")
