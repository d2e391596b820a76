"""Ways of proving to an external system who is calling: one file each, one line here."""

from integrations.connections.auth.basic import BasicAuth
from integrations.connections.auth.bearer import BearerAuth
from integrations.connections.auth.header_key import HeaderKeyAuth
from integrations.connections.auth.hmac_signing import HmacAuth
from integrations.connections.auth.none import NoAuth
from integrations.connections.auth.oauth2 import ClientCredentialsAuth
from integrations.connections.auth.query_key import QueryKeyAuth
from integrations.connections.auth.scheme import AuthScheme

_ALL: tuple[AuthScheme, ...] = (
    NoAuth(),
    BearerAuth(),
    BasicAuth(),
    HeaderKeyAuth(),
    QueryKeyAuth(),
    HmacAuth(),
    ClientCredentialsAuth(),
)
SCHEMES = {scheme.name: scheme for scheme in _ALL}
