"""Targets for tests that need no database."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from registry.catalog.rates import Rate, RateCard
from registry.catalog.resolution import Target

TARGET = Target(
    version_id=UUID("01a208bf-fd6d-75ea-89d4-6d6a4c821c08"),
    model_id="smol-1",
    model="smol",
    number=1,
    provider="local",
    provider_model="smollm2-135m-instruct",
    tasks=frozenset({"generate", "chat", "code"}),
    parameters={},
    max_tokens_limit=1000,
    rates=RateCard(input=Rate(Decimal("0.000001")), output=Rate(Decimal("0.000002"))),
    logs_bodies=False,
    is_callable=True,
)


def target(**changes: Any) -> Target:
    return replace(TARGET, **changes)
