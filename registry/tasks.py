"""What models can be asked to do."""

from typing import Final

TASKS: Final = ("generate", "chat", "code", "analyze", "embed", "classify")
METRIC_KINDS: Final = ("gauge", "count", "duration", "ratio", "money")
MODEL_TYPES: Final = ("llm", "embedding", "classification", "analysis", "other")
