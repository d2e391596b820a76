"""Models and versions."""

import factory
from factory.django import DjangoModelFactory

from registry.models import ModelAlias, ModelVersion, RegisteredModel
from tests.factories.authz import ProjectFactory


class RegisteredModelFactory(DjangoModelFactory[RegisteredModel]):
    """A language model; with `last_number` as its versions count."""

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda number: f"model-{number}")
    model_type = "llm"

    class Meta:
        model = RegisteredModel


class ModelVersionFactory(DjangoModelFactory[ModelVersion]):
    """A version of the local language model."""

    model = factory.SubFactory(RegisteredModelFactory)
    project = factory.SelfAttribute("model.project")
    number = factory.Sequence(lambda number: number + 1)
    identifier = factory.LazyAttribute(lambda version: f"{version.model.name}-{version.number}")
    provider = "local"
    provider_model = "smollm2-135m-instruct"
    tasks = ["generate", "chat", "code"]

    class Meta:
        model = ModelVersion


class ModelAliasFactory(DjangoModelFactory[ModelAlias]):
    """An alias of a version."""

    version = factory.SubFactory(ModelVersionFactory)
    model = factory.SelfAttribute("version.model")
    name = "champion"

    class Meta:
        model = ModelAlias
