"""How quickstart tells people and programs what happened."""

import json
from typing import Any

from registry.quickstart.calls import CallReport
from registry.quickstart.demo import Demo

WIDTH = 96


def one_call(call: CallReport) -> str:
    """Give a call in three lines: endpoint, question, answer."""
    head = f"POST {call.endpoint}  →  {call.status} in {call.latency_ms:.0f} ms"
    if call.usage:
        head += f", {call.usage['input_tokens']} tokens in, {call.usage['output_tokens']} out"
    asked = {key: value for key, value in call.asked.items() if key != "max_tokens"}
    answered = call.error or _plain(call.answer)
    return f"{head}\n    asked     {_short(_plain(asked))}\n    answered  {_short(answered)}\n"


def addresses(base_url: str, demo: Demo) -> str:
    """Give where to go on, and how to get in."""
    password = (
        demo.password or "as printed at the first run (manage.py changepassword admin sets another)"
    )
    return "\n".join(
        (
            f"Admin      {base_url}/admin/   {demo.username} / {password}",
            f"API docs   {base_url}/api/docs",
            f"API key    {demo.api_key}   (project {demo.project})",
            "Try        " + curl(base_url, demo.api_key),
        )
    )


def curl(base_url: str, api_key: str) -> str:
    """Give a call to paste into a shell."""
    body = '{"messages": [{"role": "user", "content": "What is the capital of France?"}]}'
    return (
        f"curl {base_url}/api/v1/ai/chat -H 'Authorization: Bearer {api_key}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )


def as_json(base_url: str, demo: Demo, calls: list[CallReport]) -> dict[str, Any]:
    """Give everything as one object; the password is null when it was made by an earlier run."""
    return {
        "base_url": base_url,
        "api_key": demo.api_key,
        "admin": {"username": demo.username, "password": demo.password},
        "calls": [call.as_dict() for call in calls],
    }


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
