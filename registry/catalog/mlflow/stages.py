"""Stages, which MLflow deprecates and its clients still set. Aliases do what they were for."""

from django.db import transaction

from authz.audit.actor import Actor
from intmod_site.api.errors import ValidationFailed
from registry.catalog.services import locked_model
from registry.catalog.versions import update_version
from registry.models import ModelVersion

STAGES = ("None", "Staging", "Production", "Archived")
ACTIVE = ("Staging", "Production")


def check_stage(stage: str) -> str:
    """Give a stage as it is written.

    Raises:
        ValidationFailed: There is none of this name.
    """
    for known in STAGES:
        if known.lower() == stage.lower():
            return known
    raise ValidationFailed(f"Invalid Model Version stage: {stage!a}. Known: {', '.join(STAGES)}.")


def transition(*, actor: Actor, version: ModelVersion, stage: str, archive: bool) -> ModelVersion:
    """Move a version to a stage.

    Args:
        actor: Who moves it.
        version: Which version.
        stage: Where to.
        archive: Whether the versions that are there now go to Archived.

    Raises:
        ValidationFailed: There is no such stage, or it is none that versions are archived from.
    """
    stage = check_stage(stage)
    if archive and stage not in ACTIVE:
        raise ValidationFailed(f"Versions are archived from {' and '.join(ACTIVE)} only.")
    with transaction.atomic():
        locked_model(version.model)
        if archive:
            there = version.model.versions.filter(stage=stage).exclude(pk=version.pk)
            for other in there.select_related("model", "project"):
                update_version(actor=actor, version=other, changes={"stage": "Archived"})
        return update_version(actor=actor, version=version, changes={"stage": stage})
