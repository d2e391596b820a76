"""Ways of proving that a webhook comes from who it says: one file each, one line here."""

from integrations.webhooks.inbound.schemes.generic_hmac import GenericHmac
from integrations.webhooks.inbound.schemes.github import GitHub
from integrations.webhooks.inbound.schemes.scheme import SignatureScheme
from integrations.webhooks.inbound.schemes.standard import StandardWebhooks
from integrations.webhooks.inbound.schemes.stripe import Stripe

_ALL: tuple[SignatureScheme, ...] = (StandardWebhooks(), GitHub(), Stripe(), GenericHmac())
SCHEMES = {scheme.name: scheme for scheme in _ALL}
