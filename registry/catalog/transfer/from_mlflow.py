"""Reading the registry of a running MLflow server, as a manifest.

https://mlflow.org/docs/latest/rest-api.html: registered-models/search and model-versions/search.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from integrations.connections.connection import egress_within
from integrations.http.client import send
from integrations.http.errors import OutboundError
from integrations.http.messages import OutboundRequest
from integrations.http.policy import Deadlines
from intmod_site.api.errors import UpstreamFailed
from registry.catalog.mlflow.models import MODEL_TYPE
from registry.catalog.mlflow.versions import PROVIDER
from registry.catalog.transfer.manifest import FORMAT

PAGE = 200
ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
NO_PROMPTS = "tag.`mlflow.prompt.is_prompt` != 'true'"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_mlflow(base_url: str, *, token: str = "", seen: Any = iter) -> dict[str, Any]:
    """Give what the server has of models, versions, tags and aliases; prompts are left out.

    Args:
        base_url: Of the server, such as https://mlflow.example.com.
        token: Sent as Bearer token; none by default.
        seen: Wraps the pages as they come, for a progress bar.

    Raises:
        UpstreamFailed: It cannot be reached, or does not answer as MLflow does.
    """
    versions: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for page in seen(_pages(base_url, token, "model-versions", {})):
        for row in page.get("model_versions", []):
            versions[row["name"]].append(_version(row))
    models = [
        _model(row, versions[row["name"]])
        for page in seen(_pages(base_url, token, "registered-models", {"filter": NO_PROMPTS}))
        for row in page.get("registered_models", [])
    ]
    return {"format": FORMAT, "models": sorted(models, key=lambda model: str(model["name"]))}


def _pages(base_url: str, token: str, what: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    page_token = ""
    while True:
        asked = (
            query | {"max_results": str(PAGE)} | ({"page_token": page_token} if page_token else {})
        )
        page = _get(
            f"{base_url.rstrip('/')}/api/2.0/mlflow/{what}/search?{urlencode(asked)}", token
        )
        yield page
        following = page.get("next_page_token") or ""
        if not following or following == page_token:
            return
        page_token = following


def _get(url: str, token: str) -> dict[str, Any]:
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        response = send(
            OutboundRequest("GET", url, headers),
            deadlines=Deadlines(total_s=120),
            body_limit_bytes=ANSWER_LIMIT_BYTES,
            egress=egress_within(),
        )
        page = json.loads(response.body)
    except OutboundError as error:
        raise UpstreamFailed(f"The MLflow server does not answer: {error}") from None
    except ValueError:
        raise UpstreamFailed("The MLflow server's answer is no JSON.") from None
    if response.status != 200 or not isinstance(page, dict):
        message = page.get("message", "") if isinstance(page, dict) else ""
        raise UpstreamFailed(f"The MLflow server answers {response.status}: {str(message)[:300]}")
    return page


def _model(row: dict[str, Any], versions: list[dict[str, Any]]) -> dict[str, Any]:
    versions.sort(key=lambda version: version["number"])
    return {
        "name": row["name"],
        "model_type": MODEL_TYPE,
        "description": row.get("description") or "",
        "tags": _tags(row),
        "last_number": versions[-1]["number"] if versions else 0,
        "created_at": _moment(row["creation_timestamp"]),
        "updated_at": _moment(row.get("last_updated_timestamp") or row["creation_timestamp"]),
        "aliases": {
            alias["alias"]: int(alias["version"])
            for alias in sorted(row.get("aliases") or [], key=lambda alias: str(alias["alias"]))
        },
        "versions": versions,
    }


def _version(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": int(row["version"]),
        "description": row.get("description") or "",
        "provider": PROVIDER,
        "provider_model": row["name"][:200],
        "source": row.get("source") or "",
        "run_id": row.get("run_id") or "",
        "run_link": row.get("run_link") or "",
        "mlflow_model_id": row.get("model_id") or "",
        "stage": row.get("current_stage") or "None",
        "status": row.get("status") or "READY",
        "status_message": row.get("status_message") or "",
        "created_by": row.get("user_id") or "",
        "tags": _tags(row),
        "created_at": _moment(row["creation_timestamp"]),
        "updated_at": _moment(row.get("last_updated_timestamp") or row["creation_timestamp"]),
    }


def _tags(row: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag.get("value") or "" for tag in row.get("tags") or []}


def _moment(milliseconds: Any) -> str:
    return (EPOCH + timedelta(milliseconds=int(milliseconds))).isoformat()
