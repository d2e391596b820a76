"""What is sent, where an empty body would be refused before it tells anything."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.authz.matrix.places import Places

API = "api/v1/"
VERSION = "registry/models/<str:name>/versions/<number:number>"


@dataclass(frozen=True)
class Sent:
    """A query, a JSON body, or a form."""

    query: str = ""
    body: Any = None
    form: str = ""


def sent(places: Places) -> dict[str, Sent]:
    """Give what is sent, by method and route; nothing is sent where nothing is said."""
    bodies = {**_access(places), **_models(places), **_outside()}
    api = {f"{method} {API}{route}": Sent(body=body) for (method, route), body in bodies.items()}
    return {**api, **_mlflow(), **_odd()}


def deleting(route: str) -> Sent:
    """Give what is sent to a page that asks whether to delete."""
    return Sent(form="post=yes") if route.endswith("/delete/") else Sent()


def _access(places: Places) -> dict[tuple[str, str], Any]:
    permission = {"permission": "registry.view_route"}
    user = str(places.member.user_id)
    policies = "policies/<uuid:policy_id>"
    return {
        ("POST", "auth/permissions/check"): {"user_id": user, **permission},
        ("POST", "auth/users/<uuid:user_id>/permissions"): permission,
        ("DELETE", "auth/users/<uuid:user_id>/permissions"): permission,
        ("POST", "auth/api-keys"): {"name": "new"},
        ("POST", "auth/projects"): {"slug": "new", "name": "New"},
        ("POST", "auth/memberships"): {"username": places.outsider.username, "role": "viewer"},
        ("PATCH", "auth/memberships/<uuid:pk>"): {"role": "developer"},
        ("POST", "auth/service-accounts"): {"username": "new", "role": "viewer"},
        ("PATCH", "auth/service-accounts/<uuid:pk>"): {"role": "developer"},
        ("POST", "auth/service-accounts/<uuid:pk>/api-keys"): {"name": "new"},
        ("POST", "auth/limits"): {"api_key": str(places.key.pk), "parallel_calls": 1},
        ("POST", "policies"): {"name": "new", "rules": {}},
        ("POST", "policies/<uuid:pk>/evaluate"): {"data": {}},
        ("POST", f"{policies}/attachments"): {"kind": "integration", "target": "erp"},
    }


def _models(places: Places) -> dict[tuple[str, str], Any]:
    version = {"provider": "local", "provider_model": "smollm2-135m-instruct", "tasks": ["chat"]}
    model = places.world.version.identifier
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    return {
        ("POST", "registry/models"): {"name": "new", "model_type": "llm"},
        ("POST", "registry/models/<str:name>/versions"): version,
        ("POST", f"{VERSION}/approvals"): {"alias": "new"},
        ("POST", f"{VERSION}/performance"): {"metrics": {"accuracy": 1.0}},
        ("PUT", "registry/models/<str:name>/aliases/<str:alias>"): {"version": 1},
        ("POST", "db/metrics"): {"samples": [{"model_id": model, "metric": "new", "value": 1}]},
        ("POST", "registry/metrics"): {"key": "new", "direction": "HIGHER"},
        ("POST", "registry/thresholds"): {"metric": "accuracy", "model_id": model, "critical": 0.1},
        ("POST", "registry/silences"): {"model": "smol", "ends_at": later},
        ("POST", "registry/rules"): {
            "name": "new", "action": "notify", "condition": "metrics.accuracy < 0.1"
        },
        ("POST", "registry/protected-aliases"): {"name": "new"},
        ("POST", "registry/routes"): {"name": "new", "targets": [{"model": "smol"}]},
        ("POST", "support/route"): {"ticket": "T-1"},
        ("PUT", "support/tickets/<int:number>"): {"ticket": "T-1"},
    }  # fmt: skip


def _outside() -> dict[tuple[str, str], Any]:
    hooks = "integration/webhook"
    call = {"method": "GET", "endpoint": "/x"}
    return {
        ("POST", "integration/external"): {"name": "new", "base_url": "https://new.example.com"},
        ("POST", "integration/external/<str:name>/request"): call,
        ("POST", "integration/external/<str:name>/validate"): call,
        ("POST", "integration/external/request"): {"integration": "erp", **call},
        ("POST", hooks): {"event_type": "order.created", "data": {}},
        ("POST", f"{hooks}/endpoints"): {
            "url": "https://new.example.com", "event_types": ["order.*"]
        },
        ("POST", f"{hooks}/endpoints/<uuid:pk>/recover"): {"since": "2026-01-01T00:00:00Z"},
        ("POST", f"{hooks}/event-types"): {"name": "new.made"},
        ("POST", f"{hooks}/sources"): {"name": "new", "scheme": "standard"},
        ("POST", f"{hooks}/sources/<str:name>/validate"): {"data": {}},
    }  # fmt: skip


def _mlflow() -> dict[str, Sent]:
    model = {"name": "smol"}
    version, tag = {**model, "version": "1"}, {"key": "k", "value": "v"}
    of_model, of_version = "registered-models/", "model-versions/"
    bodies: dict[tuple[str, str], dict[str, Any]] = {
        ("POST", of_model + "create"): {"name": "new"},
        ("POST", of_model + "rename"): {**model, "new_name": "new"},
        ("PATCH", of_model + "update"): {**model, "description": "new"},
        ("DELETE", of_model + "delete"): model,
        ("POST", of_model + "get-latest-versions"): model,
        ("POST", of_model + "set-tag"): {**model, **tag},
        ("DELETE", of_model + "delete-tag"): {**model, "key": "k"},
        ("POST", of_model + "alias"): {**version, "alias": "new"},
        ("DELETE", of_model + "alias"): {**model, "alias": "champion"},
        ("POST", of_version + "create"): {**model, "source": "s3://new"},
        ("PATCH", of_version + "update"): {**version, "description": "new"},
        ("DELETE", of_version + "delete"): version,
        ("POST", of_version + "transition-stage"): {**version, "stage": "Production"},
        ("POST", of_version + "set-tag"): {**version, **tag},
        ("DELETE", of_version + "delete-tag"): {**version, "key": "k"},
    }
    queries = {
        of_model + "get": "?name=smol",
        of_model + "get-latest-versions": "?name=smol",
        of_model + "alias": "?name=smol&alias=champion",
        of_version + "get": "?name=smol&version=1",
        of_version + "get-download-uri": "?name=smol&version=1",
    }
    base = "api/2.0/mlflow/"
    return {
        **{f"{method} {base}{route}": Sent(body=body) for (method, route), body in bodies.items()},
        **{f"GET {base}{route}": Sent(query=query) for route, query in queries.items()},
    }


def _odd() -> dict[str, Sent]:
    query = "?model=smol&metric=accuracy"
    search = "?term=smo&app_label=registry&model_name=taskdefault&field_name=model"
    return {
        f"GET {API}db/metrics": Sent(query=query),
        "GET admin/autocomplete/": Sent(query=search),
    }
