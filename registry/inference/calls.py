"""What can be asked of a model and what comes back, whoever the provider is.

Every task of the API becomes one of these calls; every provider answers one of these results.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written. Embeddings and analyses write none."""

    input_tokens: int
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ChatCall:
    """A conversation to continue: the call behind generate, chat and code."""

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatResult:
    """The continuation; `finish_reason` is stop (ended by itself or by a stop text) or length."""

    text: str
    finish_reason: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class EmbedCall:
    """Texts to place in the model's vector space."""

    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EmbedResult:
    """One unit-length vector of `dimension` floats for each input, in order."""

    vectors: list[list[float]]
    usage: Usage

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
    usage: Usage


@dataclass(frozen=True, slots=True)
class AnalyzeCall:
    """A text and the analyses wanted of it, such as language or keywords."""

    text: str
    analyses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnalyzeResult:
    """Each wanted analysis by name, in the shape that the analysis documents."""

    analyses: dict[str, object] = field(default_factory=dict)
    usage: Usage = Usage(0)


Call = ChatCall | EmbedCall | ClassifyCall | AnalyzeCall
Result = ChatResult | EmbedResult | ClassifyResult | AnalyzeResult
