"""The address that others send events to: raw bytes first, then who sent them, then what they say.

Senders have no credential of ours and no patience for our conventions: a signature stands for
the credential, and the id of the event for the Idempotency-Key.
"""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from authz.configuration.revision import read_revision
from authz.configuration.snapshot import snapshot_at
from integrations.webhooks.inbound.receiving import receive
from integrations.webhooks.inbound.schemes.scheme import Received
from integrations.webhooks.inbound.sender import Sender, find_sender
from intmod_site.api.envelope import answer
from intmod_site.api.errors import MethodNotAllowed, PayloadTooLarge
from intmod_site.api.filters import check_query
from intmod_site.api.handler import refuse_exception
from intmod_site.api.parser import check_media_type, receive_body
from intmod_site.client_address import client_address
from intmod_site.plain_routes import plain
from intmod_site.turns import turns


@plain
@csrf_exempt
def inbound(request: HttpRequest, source: str) -> HttpResponseBase:
    """Take an event of a source; whatever is wrong is answered in the envelope."""
    try:
        if request.method == "POST":
            return _received(request, source)
        refusal: Exception = MethodNotAllowed(f'Method "{request.method}" not allowed.')
    except Exception as raised:  # noqa: BLE001 -- whatever it is, it is answered in its shape
        refusal = raised
    response = refuse_exception(refusal, request)
    if response.status_code == 405:
        response.headers["Allow"] = "POST"
    return response


def _received(request: HttpRequest, source: str) -> HttpResponse:
    with turns.taken():
        snapshot = snapshot_at(read_revision())
        sender = find_sender(snapshot=snapshot, source_id=source)
        check_query(request.GET, ())
    # Without a turn: a body may take its time.
    body = _body(request, sender)
    headers = {name.lower(): value for name, value in request.headers.items()}
    with turns.taken():
        receipt = receive(
            sender=sender,
            received=Received(headers, body),
            address=client_address(request),
            snapshot=snapshot,
        )
    data = {
        "id": str(receipt.event.pk),
        "event_id": receipt.event.event_id,
        "duplicate": not receipt.is_new,
    }
    return answer(data, status=202 if receipt.is_new else 200)


def _body(request: HttpRequest, sender: Sender) -> bytes:
    """Give the raw body; one that is announced as too long is not even read."""
    check_media_type(request)
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced.isascii() and announced.isdigit() and float(announced) > sender.body_limit_bytes:
        raise _too_large(sender)
    body = receive_body(request)
    if len(body) > sender.body_limit_bytes:
        raise _too_large(sender)
    return body


def _too_large(sender: Sender) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {sender.body_limit_bytes} bytes.")
