"""The six tasks: what each takes, the call it becomes, and the result it shows."""

from registry.inference.endpoints.analyze import ANALYZE
from registry.inference.endpoints.chat import CHAT
from registry.inference.endpoints.classify import CLASSIFY
from registry.inference.endpoints.code import CODE
from registry.inference.endpoints.embed import EMBED
from registry.inference.endpoints.endpoint import Endpoint
from registry.inference.endpoints.generate import GENERATE

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.task: endpoint for endpoint in (GENERATE, CHAT, CODE, ANALYZE, EMBED, CLASSIFY)
}
