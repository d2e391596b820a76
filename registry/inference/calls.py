"""What can be asked of a model and what comes back, whoever the provider is.

Every task of the API becomes one of these calls; every provider answers one of these results.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written, all of them. Embeddings and analyses write none.

    `cached_tokens` of the input came from the provider's prompt cache, `cache_write_tokens` went
    into it, `reasoning_tokens` of the output were thoughts; each is part of its total.
    """

    input_tokens: int
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model wants called; `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may ask for; `parameters` is a JSON Schema."""

    name: str
    description: str = ""
    parameters: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; `role` is system, user, assistant or tool.

    `content` is text, or parts in OpenAI's form where there are images and the like. An
    assistant's turn may carry tool calls; a tool's turn names the call that it answers, and may
    say that the tool failed, which OpenAI's protocol leaves to the text.
    """

    role: str
    content: str | tuple[dict[str, object], ...] = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    tool_failed: bool = False


@dataclass(frozen=True, slots=True)
class ChatCall:
    """A conversation to continue: the call behind generate, chat and code.

    `tool_choice` is auto, none, required or a tool's name. `response_schema` is a JSON Schema
    that the text must fit, `json_object` asks for any JSON object. What is None is left to the
    provider.
    """

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    top_p: float | None = None
    seed: int | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    parallel_tool_calls: bool | None = None
    response_schema: dict[str, object] | None = None
    response_schema_name: str = "answer"
    json_object: bool = False
    user: str | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    reasoning_effort: str | None = None


@dataclass(frozen=True, slots=True)
class ChatResult:
    """The continuation.

    `finish_reason` is stop (ended by itself or by a stop text), length, tool_calls or
    content_filter. The usage is None where the provider did not say, which is not nothing.
    """

    text: str
    finish_reason: str
    usage: Usage | None
    tool_calls: tuple[ToolCall, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of a streamed text."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """The next piece of a streamed tool call; id and name come with its first piece."""

    index: int
    arguments: str
    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The end of a stream that ended well; a stream without one was cut off."""

    finish_reason: str
    usage: Usage | None
    model: str = ""


StreamEvent = TextDelta | ToolCallDelta | StreamEnd


@dataclass(frozen=True, slots=True)
class EmbedCall:
    """Texts to place in the model's vector space; `dimensions` shortens the vectors."""

    inputs: tuple[str, ...]
    dimensions: int | None = None


@dataclass(frozen=True, slots=True)
class EmbedResult:
    """One unit-length vector of `dimension` floats for each input, in order."""

    vectors: list[list[float]]
    usage: Usage | None

    @property
    def dimension(self) -> int:
        """Floats per vector; 0 when nothing was embedded."""
        return len(self.vectors[0]) if self.vectors else 0


@dataclass(frozen=True, slots=True)
class Label:
    """A class to choose from; the description, where given, says what belongs to it."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class ClassifyCall:
    """Texts to sort into labels; with `multi_label` each label is judged by itself."""

    texts: tuple[str, ...]
    labels: tuple[Label, ...]
    multi_label: bool = False


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How well a label fits, 0 to 1; in single-label calls the scores of a text sum to 1."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Classification:
    """One text's labels: those chosen, and every label's score, best first."""

    labels: list[str]
    scores: list[LabelScore]


@dataclass(frozen=True, slots=True)
class ClassifyResult:
    """One classification for each text, in order."""

    classifications: list[Classification]
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class AnalyzeCall:
    """A text and the analyses wanted of it, such as language or keywords."""

    text: str
    analyses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnalyzeResult:
    """Each wanted analysis by name, in the shape that the analysis documents."""

    analyses: dict[str, object] = field(default_factory=dict)
    usage: Usage | None = Usage(0)


Call = ChatCall | EmbedCall | ClassifyCall | AnalyzeCall
Result = ChatResult | EmbedResult | ClassifyResult | AnalyzeResult
