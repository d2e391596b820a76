"""code: an instruction in, a program text out."""

import re
from typing import Annotated

import msgspec

from registry.catalog.resolution import Target
from registry.inference.calls import ChatCall, ChatResult, Message
from registry.inference.endpoints.endpoint import ContinuationRequest, Endpoint, Text, continuation

Language = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9+#. -]{0,39}$")]

# The first fenced block; a model that was cut off may not have closed it.
_FENCED = re.compile(r"```[^\n`]*\n(.*?)(?:\n```|\Z)", re.DOTALL)


class CodeRequest(ContinuationRequest, kw_only=True):
    """What to write, in which language, beside which existing code."""

    instruction: Text
    language: Language
    context: Text | None = None


def build(request: CodeRequest, target: Target) -> ChatCall:
    """Ask for one code block and nothing else."""
    system = (
        f"You write {request.language} code. Answer with one {request.language} code block "
        "and no explanation."
    )
    asked = request.instruction
    if request.context:
        asked += f"\n\nThis code exists already:\n```\n{request.context}\n```"
    return continuation(request, target, [Message("system", system), Message("user", asked)])


def present(request: CodeRequest, result: ChatResult) -> dict[str, str]:
    """Give the code block's inside; the whole text where the model wrote no block."""
    block = _FENCED.search(result.text)
    return {"code": block.group(1) if block else result.text.strip(), "language": request.language}


CODE = Endpoint(
    task="code",
    summary="Write code.",
    request=CodeRequest,
    build=build,
    present=present,
    result_schema={
        "type": "object",
        "required": ["code", "language"],
        "properties": {"code": {"type": "string"}, "language": {"type": "string"}},
    },
)
