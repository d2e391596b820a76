"""What must hold of the keys before the site may serve."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from authz.identity.signing_keys import ring_of


@register(Tags.security)
def check_signing_keys(**_: Any) -> list[CheckMessage]:
    """authz.E001: a key of the ring that is none would refuse every login."""
    try:
        ring_of(tuple(settings.JWT_SIGNING_KEYS.items()))
    except ImproperlyConfigured as error:
        return [
            Error(str(error), hint="manage.py rotate_keys makes keys.", id="authz.E001"),
        ]
    return []
