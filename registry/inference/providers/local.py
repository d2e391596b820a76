"""The models that run in this process, as a provider like any other."""

from dataclasses import dataclass

from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import (
    AnalyzeCall,
    Call,
    ChatCall,
    ClassifyCall,
    EmbedCall,
    Result,
)
from registry.inference.local_models import analysis, classification, embedding, language_model
from registry.inference.providers.event_source import EventSource


@dataclass(frozen=True, slots=True)
class LocalModel:
    """One of the provider's models.

    Args:
        model_type: What kind of model it is, as the registry names kinds.
        tasks: What it can do.
        calls: The calls that it answers.
        description: One line for people.
    """

    model_type: str
    tasks: frozenset[str]
    calls: tuple[type[Call], ...]
    description: str


# By the name that a version's provider_model carries.
LOCAL_MODELS: dict[str, LocalModel] = {
    embedding.MODEL: LocalModel(
        model_type="embedding",
        tasks=frozenset({"embed", "classify"}),
        calls=(EmbedCall, ClassifyCall),
        description="all-MiniLM-L6-v2, int8: 384 dimensions, 256 tokens, English",
    ),
    language_model.MODEL: LocalModel(
        model_type="llm",
        tasks=frozenset({"generate", "chat", "code"}),
        calls=(ChatCall,),
        description="SmolLM2-135M-Instruct: 2048 tokens, English, of demo quality",
    ),
    analysis.MODEL: LocalModel(
        model_type="analysis",
        tasks=frozenset({"analyze"}),
        calls=(AnalyzeCall,),
        description="language, English sentiment, keywords, extractive summary",
    ),
}


class LocalProvider:
    """Answers calls without leaving the process."""

    def tasks_of(self, model: str) -> frozenset[str]:
        """Give the tasks that a model can do; empty for an unknown model."""
        known = LOCAL_MODELS.get(model)
        return known.tasks if known else frozenset()

    def run(self, call: Call, *, model: str, timeout_s: float) -> Result:
        """Answer a call.

        Args:
            call: What is asked.
            model: A name of LOCAL_MODELS.
            timeout_s: Seconds for waiting, loading and computing together.

        Raises:
            ValidationFailed: The model is unknown, cannot do this, or not with this input.
            TooManyRequests: Too many calls are waiting for the model.
            ServiceUnavailable: The model is not installed, or was busy for all of the time.
            UpstreamTimeout: The answer was not ready in time.
        """
        _check(call, model)
        match call:
            case ChatCall():
                return language_model.chat(call, timeout_s=timeout_s)
            case EmbedCall():
                return embedding.embed(call, timeout_s=timeout_s)
            case ClassifyCall():
                return classification.classify(call, timeout_s=timeout_s)
            case AnalyzeCall():
                return analysis.analyze(call, timeout_s=timeout_s)

    def stream(self, call: ChatCall, *, model: str, timeout_s: float) -> EventSource:
        """Answer a call in pieces; see language_model.stream. Raises like run."""
        _check(call, model)
        return language_model.stream(call, timeout_s=timeout_s)


def _check(call: Call, model: str) -> None:
    known = LOCAL_MODELS.get(model)
    if known is None:
        raise ValidationFailed.of(
            "model", f"There is no local model {model!r}, only {', '.join(LOCAL_MODELS)}."
        )
    if not isinstance(call, known.calls):
        raise ValidationFailed.of(
            "model", f"The local model {model} can only {', '.join(sorted(known.tasks))}."
        )
