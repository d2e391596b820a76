"""What is there to ask about: one of everything in a project, and where in a URL it stands."""

from dataclasses import dataclass

from django.contrib.admin.utils import quote
from django.contrib.contenttypes.models import ContentType

from authz.identity import keys, memberships, roles
from authz.identity.grants import permissions_named
from authz.identity.members import create_user
from authz.identity.service_accounts import create_service_account
from authz.models import APIKey, AuditEvent, Membership, User
from integrations.connections.services import register_integration
from integrations.models import InboundSource, ReceivedEvent, WebhookMessage
from integrations.webhooks.inbound.sources import register_source
from tests.admin import world as worlds
from tests.admin.world import ACTOR, PASSWORD, World
from tests.api_client import ApiClient
from tests.integrations.webhooks.inbound import senders

ODD = {
    "^api(?:/[\\s\\S]*)?$": "api/nothing",
    "^v1(?:/[\\s\\S]*)?$": "v1/nothing",
    "api/^[23]\\.0/mlflow(?:/[\\s\\S]*)?$": "api/2.0/mlflow/nothing",
    "admin/^(?P<app_label>": "admin/authz/",
    "admin/(?P<url>.*)$": "admin/nothing",
}
"""What routes with patterns of their own are tried with; a prefix of the route is enough."""


@dataclass(frozen=True)
class Places:
    """The project that all roles but one work in, or ask about from outside."""

    world: World
    member: Membership
    account: Membership
    key: APIKey
    source: InboundSource
    event: ReceivedEvent
    outsider: User

    def path(self, route: str) -> str:
        """Give a route's path with the project's own objects in it.

        Raises:
            LookupError: Nothing is said here of what stands in the route.
        """
        for odd, path in ODD.items():
            if route.startswith(odd):
                return f"/{path}"
        for prefix, place in sorted(self._places().items(), key=lambda pair: -len(pair[0])):
            if route.startswith(prefix):
                route = place + route.removeprefix(prefix)
                break
        else:
            route = self._page(route)
        if "<" in route:
            raise LookupError(f"Say in {__name__} what stands in {route}.")
        return f"/{route}"

    def ids(self) -> dict[str, str]:
        """Give the ids of all that is in the project, and what each is."""
        rows = [*self.world.objects, self.member, self.account, self.key, self.source, self.event]
        named = {str(row.pk): repr(row) for row in rows if len(str(row.pk)) > 20}
        return named | {self.world.version.identifier: "version", "shop-only": "source"}

    def _places(self) -> dict[str, str]:
        world = self.world
        version = f"{MODELS}/smol/versions/1"
        kinds = {type(row).__name__: row.pk for row in world.objects}
        return {
            "v1/models/<path:model_id>": "v1/models/smol",
            f"{AUTH}/users/<uuid:user_id>": f"{AUTH}/users/{self.member.user_id}",
            f"{AUTH}/api-keys/<uuid:pk>": f"{AUTH}/api-keys/{self.key.pk}",
            f"{AUTH}/sessions/<uuid:pk>": f"{AUTH}/sessions/{world.session.pk}",
            f"{AUTH}/service-accounts/<uuid:pk>": (
                f"{AUTH}/service-accounts/{self.account.user_id}"
            ),
            f"{AUTH}/projects/<uuid:pk>": f"{AUTH}/projects/{world.project.pk}",
            f"{AUTH}/memberships/<uuid:pk>": f"{AUTH}/memberships/{self.member.pk}",
            f"{AUTH}/limits/<uuid:pk>": f"{AUTH}/limits/{world.limit.pk}",
            f"{V1}/policies/<uuid:pk>": f"{V1}/policies/{world.policy.pk}",
            f"{V1}/policies/<uuid:policy_id>/attachments/<uuid:pk>": (
                f"{V1}/policies/{world.policy.pk}/attachments/{world.attachment.pk}"
            ),
            f"{V1}/policies/<uuid:policy_id>": f"{V1}/policies/{world.policy.pk}",
            f"{V1}/audit/events/<row_id:pk>": f"{V1}/audit/events/{self.event_id()}",
            f"{V1}/integration/external/<str:name>": f"{V1}/integration/external/erp",
            f"{V1}/integration/status/<str:name>": f"{V1}/integration/status/erp",
            f"{HOOKS}/endpoints/<uuid:pk>": f"{HOOKS}/endpoints/{kinds['WebhookEndpoint']}",
            f"{HOOKS}/event-types/<uuid:pk>": f"{HOOKS}/event-types/{kinds['EventType']}",
            f"{HOOKS}/messages/<str:message_id>": f"{HOOKS}/messages/{self._message_id()}",
            f"{HOOKS}/deliveries/<uuid:pk>": f"{HOOKS}/deliveries/{kinds['WebhookDelivery']}",
            f"{HOOKS}/inbound/<str:source>": f"{HOOKS}/inbound/{self.source.pk}",
            f"{HOOKS}/sources/<str:name>": f"{HOOKS}/sources/shop-only",
            f"{HOOKS}/received/<uuid:pk>": f"{HOOKS}/received/{self.event.pk}",
            f"{MODELS}/<str:name>": f"{MODELS}/smol",
            f"{MODELS}/<str:name>/versions/<number:number>": version,
            f"{MODELS}/<str:name>/aliases/<str:alias>": f"{MODELS}/smol/aliases/champion",
            f"{V1}/registry/metrics/<path:key>": f"{V1}/registry/metrics/metric",
            f"{V1}/registry/thresholds/<uuid:pk>": f"{V1}/registry/thresholds/{kinds['Threshold']}",
            f"{V1}/registry/alerts/<uuid:pk>": f"{V1}/registry/alerts/{kinds['Alert']}",
            f"{V1}/registry/silences/<uuid:pk>": f"{V1}/registry/silences/{kinds['Silence']}",
            f"{V1}/registry/rules/<uuid:pk>": f"{V1}/registry/rules/{kinds['OptimizationRule']}",
            f"{V1}/registry/recommendations/<uuid:pk>": (
                f"{V1}/registry/recommendations/{kinds['Recommendation']}"
            ),
            f"{V1}/registry/protected-aliases/<str:name>": (
                f"{V1}/registry/protected-aliases/protected"
            ),
            f"{V1}/registry/approvals/<uuid:pk>": (
                f"{V1}/registry/approvals/{kinds['ApprovalRequest']}"
            ),
            f"{V1}/registry/routes/<str:name>": f"{V1}/registry/routes/spread",
            f"{V1}/registry/versions/<path:model_id>": (
                f"{V1}/registry/versions/{world.version.identifier}"
            ),
            f"{V1}/support/tickets/<int:number>": f"{V1}/support/tickets/7",
        }

    def _page(self, route: str) -> str:
        """Put the object that the page is about into a page's route."""
        project = self.world.project
        kind = ContentType.objects.get_for_model(project).pk
        route = route.replace("<path:content_type_id>/<path:object_id>", f"{kind}/{project.pk}")
        for row in self.world.objects:
            prefix = f"admin/{row._meta.app_label}/{row._meta.model_name}/"
            if route.startswith(prefix):
                return route.replace("<path:object_id>", str(quote(row.pk)))
        return route

    def event_id(self) -> int:
        events = AuditEvent.objects.filter(project_id=self.world.project.pk)
        return int(events.values_list("pk", flat=True)[0])

    def _message_id(self) -> str:
        return next(str(row) for row in self.world.told if isinstance(row, WebhookMessage))


V1 = "api/v1"
AUTH = f"{V1}/auth"
HOOKS = f"{V1}/integration/webhook"
MODELS = f"{V1}/registry/models"


def build() -> Places:
    """Make one of everything, through the services."""
    world = worlds.build()
    bob = create_user(actor=ACTOR, username="bob", password=PASSWORD)
    member = memberships.set_membership(
        actor=ACTOR, user=bob, project=world.project, role=roles.role_named("viewer"), held=None,
        extra_permissions=permissions_named(["registry.view_route"]).values(),
    )  # fmt: skip
    account = create_service_account(
        actor=ACTOR, project=world.project, username="robot", owner=world.staff,
        role=roles.role_named("viewer"), held=None,
    )  # fmt: skip
    key, _text = keys.create_api_key(
        actor=ACTOR, user=account.user, project=world.project, name="robots"
    )
    source, _secret = register_source(
        actor=ACTOR, project=world.project, name="shop-only", scheme="standard",
        secret=senders.SHARED,
    )  # fmt: skip
    # No policy is attached to it, and there is nobody to call.
    register_integration(
        actor=ACTOR, project=world.project, name="erp", base_url="https://erp.invalid"
    )
    outsider = create_user(actor=ACTOR, username="eve", password=PASSWORD)
    body = senders.body_of(None)
    address = f"/{HOOKS}/inbound/{source.pk}"
    answer = ApiClient().call("POST", address, raw=body, **senders.standard(body))
    assert answer.status_code < 300, answer.content
    return Places(
        world, member, account, key, source, ReceivedEvent.objects.get(source=source), outsider
    )
