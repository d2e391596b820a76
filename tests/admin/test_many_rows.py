"""Pages and lists over 10,000 rows ask as often as over a few."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authz.models import Project
from registry.models import ModelVersion, RegisteredModel, VersionTag
from tests.admin.test_pages import queries, url
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, ProjectFactory, api_key_for

ROWS = 10_000
PAGES = ("", "?p=100", "?q=model-9", "?o=1")
LISTS = (
    "registry/models",
    "registry/models?page_size=200",
    "registry/versions?filter=tags.team%20%3D%20'team-1'",
    "registry/versions?order_by=name%20DESC",
    "registry/models/model-1/versions",
)


def fill(project: Project, begin: int, end: int) -> None:
    models = RegisteredModel.objects.bulk_create(
        RegisteredModel(project=project, name=f"model-{number}", model_type="llm", last_number=1)
        for number in range(begin, end)
    )
    versions = ModelVersion.objects.bulk_create(
        ModelVersion(
            project=project, model=model, number=1, identifier=f"{model.name}-1",
            provider="mlflow", provider_model="x", tags={"team": f"team-{place % 20}"},
        )
        for place, model in enumerate(models)
    )  # fmt: skip
    VersionTag.objects.bulk_create(
        VersionTag(project=project, owner=version, key="team", head=version.tags["team"])
        for version in versions
    )


@pytest.mark.slow
@pytest.mark.django_db
def test_ten_thousand_models(staff: Client) -> None:
    project = ProjectFactory()
    api = ApiClient(api_key_for(MembershipFactory(project=project, role_name="viewer")))
    fill(project, 0, 250)
    first = ModelVersion.objects.get(identifier="model-1-1")
    lists = [url(model, "changelist") for model in (RegisteredModel, ModelVersion)]
    pages = [address + more for address in lists for more in PAGES]
    pages += [url(first, "change"), url(first.model, "change"), "/admin/"]

    def counted() -> dict[str, int]:
        found = {page: queries(staff, page) for page in pages if "?p=" not in page}
        for path in LISTS:
            with CaptureQueriesContext(connection) as captured:
                assert api.ok("GET", path)["results"]
            found[path] = len(captured)
        return found

    counted()  # content types and permissions are remembered from now on
    before = counted()
    fill(project, 250, ROWS)
    assert counted() == before
    for page in pages:
        assert queries(staff, page) <= 30, page
