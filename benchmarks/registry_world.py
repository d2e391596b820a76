"""Prepares a database for the registry's benchmarks and prints, as JSON, the key to call with.

python -m benchmarks.registry_world            # 1,000 models
python -m benchmarks.registry_world search     # 2,000 models of 50 versions with 5 tags, searched
"""

import json
import secrets
import sys
import time
from typing import Any

import django

MODELS, VERSIONS = 2000, 50
TEAMS, TIERS, REGIONS, ROUNDS = 40, 10, 5, 60


def prepare() -> tuple[Any, str]:
    """Migrate; create a project and a key of an admin."""
    from django.core.management import call_command

    from authz.audit.actor import SYSTEM
    from authz.identity.keys import create_api_key
    from authz.identity.members import create_project, create_user
    from authz.identity.memberships import set_membership
    from authz.identity.roles import ADMIN, role_named

    call_command("migrate", verbosity=0, interactive=False)
    user = create_user(actor=SYSTEM, username="benchmark", password=secrets.token_urlsafe(16))
    project = create_project(actor=SYSTEM, slug="benchmark", name="Benchmark")
    set_membership(actor=SYSTEM, user=user, project=project, role=role_named(ADMIN))
    return project, create_api_key(actor=SYSTEM, user=user, project=project, name="benchmark")[1]


def fill(project: Any) -> None:
    """Insert 2,000 models of 50 versions with five tags each."""
    from django.db import transaction

    from registry.models import ModelVersion, RegisteredModel, VersionTag

    for begin in range(0, MODELS, 100):
        with transaction.atomic():
            models = RegisteredModel.objects.bulk_create(
                RegisteredModel(
                    project=project, name=f"model-{index:04}", model_type="llm",
                    last_number=VERSIONS,
                )
                for index in range(begin, begin + 100)
            )  # fmt: skip
            versions = [
                ModelVersion(
                    project=project, model=model, number=number, provider="mlflow",
                    provider_model=model.name, identifier=f"{model.name}-{number}",
                    tags={
                        "team": f"team-{(begin + place) % TEAMS}",
                        "tier": f"tier-{number % TIERS}",
                        "region": f"region-{(number + place) % REGIONS}",
                        "run": f"run-{begin + place}-{number}",
                        "stage": "tested" if number % 2 else "new",
                    },
                )
                for place, model in enumerate(models)
                for number in range(1, VERSIONS + 1)
            ]  # fmt: skip
            ModelVersion.objects.bulk_create(versions, batch_size=500)
            VersionTag.objects.bulk_create(
                (
                    VersionTag(project=project, owner=version, key=key, head=value)
                    for version in versions
                    for key, value in version.tags.items()
                ),
                batch_size=500,
            )


def search(key: str) -> dict[str, Any]:
    """Search by three tags over the API in this process, 100 at a time, and give percentiles."""
    from urllib.parse import urlencode

    from django.db import connection
    from django.test import Client

    with connection.cursor() as cursor:
        # As PostgreSQL does by itself, and `monitor_models` for SQLite.
        cursor.execute(
            "ANALYZE" if connection.vendor == "postgresql" else "PRAGMA optimize=0x10012"
        )
    client, taken_ms, cpu_ms, found = Client(), [], [], 0
    for number in range(ROUNDS):
        text = (
            f"tags.team = 'team-{number % TEAMS}' AND tags.tier = 'tier-{number % TIERS}'"
            f" AND tags.region = 'region-{number % REGIONS}'"
        )
        query = urlencode({"filter": text, "max_results": 100})
        began, cpu_began = time.perf_counter(), time.process_time()
        answer = client.get(
            f"/api/2.0/mlflow/model-versions/search?{query}", HTTP_AUTHORIZATION=f"Bearer {key}"
        )
        taken_ms.append((time.perf_counter() - began) * 1000)
        cpu_ms.append((time.process_time() - cpu_began) * 1000)
        assert answer.status_code == 200, answer.content
        found += len(json.loads(answer.content)["model_versions"])
    taken_ms.sort()
    cpu_ms.sort()
    return {
        "database": connection.vendor,
        "versions": MODELS * VERSIONS,
        "found_on_average": round(found / ROUNDS, 1),
        "p50_ms": round(taken_ms[ROUNDS // 2], 1),
        "p95_ms": round(taken_ms[int(ROUNDS * 0.95)], 1),
        # Of this process: with SQLite all of it, with PostgreSQL without the server's.
        "cpu_p50_ms": round(cpu_ms[ROUNDS // 2], 1),
        "cpu_p95_ms": round(cpu_ms[int(ROUNDS * 0.95)], 1),
    }


if __name__ == "__main__":
    django.setup()
    made, text = prepare()
    if sys.argv[1:] == ["search"]:
        fill(made)
        print(json.dumps(search(text)))
    else:
        print(json.dumps({"key": text}))
