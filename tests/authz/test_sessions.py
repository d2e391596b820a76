"""Sessions over the API: seen and ended by who they belong to, or by who may."""

from uuid import uuid4

from authz.models import AuditEvent, Membership, Session
from tests.api_client import ApiClient
from tests.authz.conftest import LogIn
from tests.factories.authz import PASSWORD, MembershipFactory, api_key_for


def log_in_as(member: Membership) -> ApiClient:
    body = {
        "username": member.user.username, "password": PASSWORD, "project": member.project.slug
    }  # fmt: skip
    return ApiClient(ApiClient().ok("POST", "auth/token", body)["access"])


def test_people_see_and_end_their_own(member: Membership) -> None:
    viewer = MembershipFactory(project=member.project, role_name="viewer")
    here, there = log_in_as(viewer), log_in_as(viewer)
    log_in_as(member)
    rows = here.ok("GET", "auth/sessions")["results"]
    assert {row["username"] for row in rows} == {viewer.user.username}
    assert len(rows) == 2
    other = rows[0]  # the newest comes first
    assert here.ok("GET", f"auth/sessions/{other['id']}") == other
    here.ok("DELETE", f"auth/sessions/{other['id']}")
    there.refused(401, "GET", "auth/me")
    here.ok("GET", "auth/me")
    assert AuditEvent.objects.filter(action="session.revoke", object_id=other["id"]).exists()


def test_ending_ones_own_session_logs_out(log_in: LogIn) -> None:
    client = ApiClient(log_in()["access"])
    own = client.ok("GET", "auth/sessions")["results"][0]
    client.ok("DELETE", f"auth/sessions/{own['id']}")
    client.refused(401, "GET", "auth/sessions")


def test_others_sessions_are_for_admins(member: Membership) -> None:
    viewer = MembershipFactory(project=member.project, role_name="viewer")
    theirs, admin = log_in_as(viewer), log_in_as(member)
    mine = Session.objects.get(user=member.user)
    path = f"auth/sessions/{mine.pk}"
    missing = theirs.refused(404, "DELETE", f"auth/sessions/{uuid4()}")["error_details"]
    for method in ("GET", "DELETE"):
        assert theirs.refused(404, method, path)["error_details"] == missing
    assert len(admin.ok("GET", "auth/sessions")["results"]) == 2
    admin.ok("DELETE", f"auth/sessions/{Session.objects.get(user=viewer.user).pk}")
    theirs.refused(401, "GET", "auth/me")


def test_a_key_does_not_reach_its_users_sessions_without_the_permission(
    member: Membership, log_in: LogIn
) -> None:
    session = ApiClient(log_in()["access"])
    narrow = ApiClient(api_key_for(member, scopes=["registry.view_registeredmodel"]))
    assert narrow.ok("GET", "auth/sessions")["results"] == []
    own = session.ok("GET", "auth/sessions")["results"][0]
    narrow.refused(404, "DELETE", f"auth/sessions/{own['id']}")
    session.ok("GET", "auth/me")


def test_sessions_of_another_project_are_not_there(member: Membership) -> None:
    stranger = MembershipFactory(role_name="admin")
    log_in_as(stranger)
    admin = log_in_as(member)
    theirs = Session.objects.get(user=stranger.user)
    for method in ("GET", "DELETE"):
        admin.refused(404, method, f"auth/sessions/{theirs.pk}")


def test_tokens_are_not_told(member: Membership) -> None:
    admin = log_in_as(member)
    told = str(admin.ok("GET", "auth/sessions"))
    jti = Session.objects.get().refresh_jti
    assert str(jti) not in told
    assert jti.hex not in told
