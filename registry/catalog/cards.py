"""A version's model card: Hugging Face's README with its front matter and model-index.

https://huggingface.co/docs/hub/model-cards and
https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from typing import Any

import yaml

from registry.models import ModelVersion

PIPELINES = {
    "chat": "text-generation",
    "generate": "text-generation",
    "code": "text-generation",
    "classify": "text-classification",
    "embed": "feature-extraction",
    "analyze": "token-classification",
}
"""Our tasks in Hugging Face's words, the most telling first."""


def card_of(version: ModelVersion) -> str:
    """Write the card as Markdown; measured values stand in its model-index.

    Args:
        version: With its model and aliases.
    """
    front = yaml.safe_dump(_front_matter(version), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{front}---\n\n{_text(version)}"


def _front_matter(version: ModelVersion) -> dict[str, Any]:
    pipeline = next((PIPELINES[task] for task in PIPELINES if task in version.tasks), None)
    front: dict[str, Any] = {
        "model_name": version.model.name,
        "version": version.label or str(version.number),
        "tags": [
            version.model.model_type,
            *(f"{key}:{value}" if value else key for key, value in sorted(version.tags.items())),
        ],
    }
    if pipeline:
        front["pipeline_tag"] = pipeline
    if version.performance_metrics:
        result = {
            "task": {"type": pipeline or "other"},
            "dataset": {"type": "reported", "name": "Reported measurements"},
            "metrics": [
                {"type": name, "name": name, "value": value}
                for name, value in sorted(version.performance_metrics.items())
            ],
        }
        front["model-index"] = [{"name": str(version), "results": [result]}]
    return front


def _text(version: ModelVersion) -> str:
    parts = [f"# {version.model.name} {version.number}"]
    parts += [text.strip() for text in (version.model.description, version.description) if text]
    aliases = ", ".join(sorted(alias.name for alias in version.aliases.all()))
    rows = {
        "Model id": version.identifier,
        "Label": version.label,
        "Provider": f"{version.provider} / {version.provider_model}",
        "Tasks": ", ".join(version.tasks),
        "Aliases": aliases,
        "Source": version.source,
        "Digest": version.digest,
        "Status": version.status if version.is_active else f"{version.status}, not active",
        "Registered": f"{version.created_at:%Y-%m-%d %H:%M} UTC by {version.created_by}",
        **{f"Parameter {name}": value for name, value in sorted(version.parameters.items())},
        **{f"Limit {name}": value for name, value in sorted(version.limits.items())},
        **{f"Price {name}": value for name, value in sorted(version.prices.items())},
    }
    table = ["| | |", "|---|---|"]
    table += [
        f"| {name} | {_cell(value)} |" for name, value in rows.items() if value not in {"", None}
    ]
    parts.append("\n".join(table))
    return "\n\n".join(parts) + "\n"


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
