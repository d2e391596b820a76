"""Prepares a database for the benchmarks and prints, as JSON, the key to call with.

python -m benchmarks.world http://127.0.0.1:9001/v1
"""

import json
import secrets
import sys

import django


def prepare(base_url: str) -> str:
    """Migrate; create a project, a model that leads to the URL, and a key that may call it."""
    from django.core.management import call_command

    from authz.audit.actor import SYSTEM
    from authz.identity.keys import create_api_key
    from authz.identity.members import create_project, create_user
    from authz.identity.memberships import set_membership
    from authz.identity.roles import ADMIN, role_named
    from integrations.connections.services import register_integration
    from registry.catalog.versions import register_model

    call_command("migrate", verbosity=0, interactive=False)
    user = create_user(actor=SYSTEM, username="benchmark", password=secrets.token_urlsafe(16))
    project = create_project(actor=SYSTEM, slug="benchmark", name="Benchmark")
    set_membership(actor=SYSTEM, user=user, project=project, role=role_named(ADMIN))
    register_model(
        actor=SYSTEM,
        project=project,
        model_name="fake",
        model_type="llm",
        provider="openai",
        provider_model="fake",
        integration=register_integration(
            actor=SYSTEM, project=project, name="fake", base_url=base_url, api_key="sk-upstream"
        ),
        tasks=["generate", "chat", "code"],
        # So that each call's cost is worked out, as it is for a model that is paid for.
        prices={"input_usd_per_mtok": "0.15", "output_usd_per_mtok": "0.60"},
    )
    return create_api_key(actor=SYSTEM, user=user, project=project, name="benchmark")[1]


if __name__ == "__main__":
    django.setup()
    print(json.dumps({"key": prepare(sys.argv[1])}))
