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
    asked, answered = _short(_question(call)), _short(call.error or _answer(call))
    return f"{head}\n    asked     {asked}\n    answered  {answered}\n"


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


def _question(call: CallReport) -> str:
    asked = call.asked
    if "messages" in asked:
        return str(asked["messages"][-1]["content"])
    if "input" in asked:
        return " · ".join(asked["input"])
    text = str(asked.get("prompt") or asked.get("instruction") or asked["text"])
    chosen = [label["name"] for label in asked.get("labels", [])] or asked.get("analyses", [])
    return f"{', '.join(chosen)}: {text}" if chosen else text


def _answer(call: CallReport) -> str:
    match call.answer:
        case {"content": text} | {"code": text}:
            return str(text)
        case {"vectors": vectors, "dimension": dimension}:
            first = ", ".join(f"{number:.3f}" for number in vectors[0][:4])
            return f"{len(vectors)} vectors of {dimension} numbers: [{first}, …"
        case {"scores": scores}:
            return ", ".join(f"{score['label']} {score['score']:.2f}" for score in scores)
        case str(text):
            return text
    return json.dumps(call.answer, ensure_ascii=False)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
