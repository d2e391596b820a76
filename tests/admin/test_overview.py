"""The first page: the numbers of the last 24 hours, or how to get some."""

from datetime import timedelta

from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from authz.models import APIKey
from intmod_site.chart_cards import compact, milliseconds
from registry.admin.overview import dollars
from registry.models import InferenceRecord, ModelVersion
from tests.admin.world import World, call


def test_it_shows_the_numbers(world: World, staff: Client) -> None:
    call(world.version, status=502, error_code="upstream_failed", latency_ms=900.0)
    page = staff.get("/admin/").content.decode()
    assert page.count('role="img"') == 4
    assert "50.0% of all calls" in page
    assert "900 ms" in page
    assert "upstream_failed" in page
    assert "smol:1" in page
    assert page.count("<tr>") > 24


def test_it_says_how_to_begin(world: World, staff: Client) -> None:
    InferenceRecord.objects.all()._raw_delete("default")
    page = staff.get("/admin/").content.decode()
    assert "No calls in the last 24 hours" in page
    assert "http://testserver/api/v1/ai/generate" in page
    assert page.count('class="mark good"') == 2
    APIKey.objects.update(revoked_at=timezone.now())
    ModelVersion.objects.update(is_active=False)
    page = staff.get("/admin/").content.decode()
    assert "Issue one" in page
    assert "Register a model" in page


def test_old_calls_do_not_count(world: World, staff: Client) -> None:
    InferenceRecord.objects.all()._raw_delete("default")
    call(world.version, created_at=timezone.now() - timedelta(days=2))
    assert "No calls in the last 24 hours" in staff.get("/admin/").content.decode()


def test_roles_stand_with_access(world: World, staff: Client) -> None:
    page = staff.get("/admin/").content.decode()
    assert "Roles" in page
    assert "Authentication and Authorization" not in page
    assert Group.objects.exists()


def test_numbers_are_written_briefly() -> None:
    assert [compact(value) for value in (0, 7, 999, 1200, 2_500_000)] == [
        "0", "7", "999", "1.2k", "2.5M",
    ]  # fmt: skip
    assert [milliseconds(value) for value in (None, 0.4, 9.95, 12.4, 1234)] == [
        "-", "0.4 ms", "9.9 ms", "12 ms", "1.23 s",
    ]  # fmt: skip
    assert [dollars(value) for value in (0, 0.0000123, 0.05, 0.5, 12, 12345.6)] == [
        "$0", "$0.000012", "$0.05", "$0.50", "$12.00", "$12,346",
    ]  # fmt: skip
