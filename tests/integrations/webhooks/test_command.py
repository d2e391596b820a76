"""manage.py deliver_webhooks: everything that is due, from the audit log to held deliveries."""

from django.core.management import call_command

from authz.models import Project
from integrations.models import WebhookDelivery
from integrations.webhooks.services import publish
from integrations.webhooks.standing import disable_endpoint, enable_endpoint
from tests.factories.authz import ACTOR
from tests.integrations.webhooks.conftest import Register, Serve
from tests.integrations.webhooks.delivering import OK


def test_it_delivers_all_that_is_due(serve: Serve, register: Register, project: Project) -> None:
    server = serve(OK)
    endpoint = register(server, event_types=["*", "audit.webhookendpoint.enable"])
    disable_endpoint(actor=ACTOR, endpoint=endpoint)
    publish("a.b", {}, project=project)
    enable_endpoint(actor=ACTOR, endpoint=endpoint)
    publish("a.b", {}, project=project)
    call_command("deliver_webhooks", "--once")
    assert len(server.requests) == 3
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"succeeded"}
