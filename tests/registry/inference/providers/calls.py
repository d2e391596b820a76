"""Calls that the adapters' tests put."""

from registry.inference.calls import ChatCall, Message, Tool, ToolCall

HELLO = ChatCall(messages=(Message("user", "Hello"),), max_tokens=100)

WEATHER = Tool(
    "get_weather",
    "The weather in a town.",
    {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
)
CLOCK = Tool("get_time")

# A conversation with all that may be in one.
WITH_TOOLS = ChatCall(
    messages=(
        Message("system", "Be brief."),
        Message("user", "Weather and time in Rome?"),
        Message(
            "assistant",
            "",
            (ToolCall("a1", "get_weather", '{"town":"Rome"}'), ToolCall("a2", "get_time", "")),
        ),
        Message("tool", "sunny", tool_call_id="a1"),
        Message("tool", "12:00", tool_call_id="a2"),
        Message("user", "And tomorrow?"),
    ),
    max_tokens=50,
    temperature=1.5,
    top_p=0.9,
    seed=7,
    stop=("END",),
    tools=(WEATHER, CLOCK),
    tool_choice="required",
    parallel_tool_calls=False,
    user="u-1",
)

PERSON_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
