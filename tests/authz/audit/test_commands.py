"""manage.py seal_audit_log, verify_audit_log, export_audit_log, prune_audit_log."""

import csv
import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from authz.audit.seal import seal_events
from authz.models import AuditEvent, AuditPruneMarker, AuditSeal
from tests.authz.audit.tampering import EVENT, event_at, found, intact, record, unguarded
from tests.factories.authz import ACTOR, ProjectFactory

pytestmark = pytest.mark.usefixtures("sealed")


def run(name: str, *arguments: Any) -> str:
    out = StringIO()
    call_command(name, *map(str, arguments), stdout=out)
    return out.getvalue()


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_sealing_writes_a_checkpoint_that_verifies(tmp_path: Path) -> None:
    record(2)
    file = tmp_path / "checkpoint.json"
    assert "Sealed 2 events; the chain ends at sequence 7" in run(
        "seal_audit_log", "--checkpoint", file
    )
    document = json.loads(file.read_text())
    assert set(document) == {"seq", "chain_hash", "created_at", "signature", "public_key"}
    said = run("verify_audit_log", "--checkpoint", file)
    assert "intact: 7 sealed events (1 to 7), 0 pruned or missing, 0 not sealed yet" in said
    unguarded("DELETE FROM authz_auditcheckpoint")
    unguarded("DELETE FROM authz_auditseal WHERE seq = 7")
    with pytest.raises(CommandError, match="first at sequence 7") as refused:
        run("verify_audit_log", "--checkpoint", file)
    assert refused.value.returncode == 1


def test_verifying_names_the_first_bad_sequence_number() -> None:
    for seq in (4, 2):
        unguarded(f"UPDATE {EVENT} SET actor_label = 'x' WHERE id = %s", event_at(seq))
    out = StringIO()
    with pytest.raises(CommandError, match="first at sequence 2") as refused:
        call_command("verify_audit_log", stdout=out)
    assert refused.value.returncode == 1
    assert out.getvalue().splitlines() == [
        f"sequence 2: event_changed: The event {event_at(2)} was changed.",
        f"sequence 4: event_changed: The event {event_at(4)} was changed.",
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seq": "1"}'])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "checkpoint.json"
    file.write_text(text)
    with pytest.raises(CommandError) as refused:
        run("verify_audit_log", "--checkpoint", file)
    assert refused.value.returncode == 2


def test_exporting_as_lines() -> None:
    record(1)
    events = lines(run("export_audit_log"))
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5, None]
    seal = AuditSeal.objects.get(pk=2)
    assert events[1]["mac"] == seal.event_mac
    assert events[1]["chain_hash"] == seal.chain_hash
    assert events[1]["changes"]["number"] == 1


def test_exporting_a_part(tmp_path: Path) -> None:
    from authz.audit.record import record_event

    project = ProjectFactory(slug="shop")
    record_event(
        actor=ACTOR, action="x.y", outcome=AuditEvent.Outcome.DENIED, project=project, changes={}
    )
    file = tmp_path / "events.ndjson"
    run("export_audit_log", "--project", "shop", "--output", file)
    assert [event["action"] for event in lines(file.read_text())] == ["x.y"]
    moment = AuditEvent.objects.order_by("id")[2].occurred_at.isoformat()
    assert len(lines(run("export_audit_log", "--since", moment))) == 4
    assert len(lines(run("export_audit_log", "--until", moment))) == 2
    assert run("export_audit_log", "--since", "2100-01-01") == ""
    for wrong in (("--project", "none"), ("--since", "yesterday"), ("--format", "xml")):
        with pytest.raises(CommandError):
            run("export_audit_log", *wrong)


def test_a_table_for_spreadsheets_holds_no_formulas() -> None:
    from authz.audit.actor import Actor
    from authz.audit.record import record_event

    record_event(
        actor=Actor(kind="human", label='=HYPERLINK("http://x")'), action="-1+1",
        outcome=AuditEvent.Outcome.SUCCESS, project=None, changes={"a": 'b,"c"\n'},
    )  # fmt: skip
    *_, row = csv.DictReader(StringIO(run("export_audit_log", "--format", "csv")))
    assert row["actor_label"] == '\'=HYPERLINK("http://x")'
    assert row["action"] == "'-1+1"
    assert json.loads(row["changes"]) == {"a": 'b,"c"\n'}


def export(tmp_path: Path) -> Path:
    file = tmp_path / "events.ndjson"
    run("export_audit_log", "--output", file)
    return file


def test_pruning_deletes_what_is_exported_and_stays_verifiable(tmp_path: Path) -> None:
    file = export(tmp_path)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    said = run("prune_audit_log", "--through", 3, "--export", file)
    assert "Deleted 3 events up to sequence 3" in said
    assert digest in said
    assert AuditEvent.objects.filter(action="test.done").count() == 2
    assert AuditEvent.objects.get(action="auditevent.prune").actor_label == (
        "manage.py prune_audit_log"
    )
    report = intact()
    assert (report.pruned_count, report.event_count, report.unsealed_count) == (3, 2, 1)
    seal_events()
    again = export(tmp_path)
    assert "Deleted 2 events" in run("prune_audit_log", "--through", 5, "--export", again)
    intact()
    unguarded(f"DELETE FROM {EVENT} WHERE id = %s", event_at(6))
    assert found() == [(6, "event_missing")]


def test_pruning_that_was_broken_off_goes_on(tmp_path: Path) -> None:
    from authz.audit.prune import delete_marked, mark_exported

    mark_exported(actor=ACTOR, through_seq=4, export=export(tmp_path))
    unguarded(f"DELETE FROM {EVENT} WHERE id = %s", event_at(1))
    assert list(delete_marked()) == [3]
    intact()


@pytest.mark.parametrize("what", ["cut", "edited", "foreign", "beyond", "none", "not intact"])
def test_what_an_export_does_not_hold_is_not_pruned(tmp_path: Path, what: str) -> None:
    file, through = export(tmp_path), 5
    text = file.read_text()
    if what == "cut":
        file.write_text("".join(text.splitlines(keepends=True)[:4]))
    elif what == "edited":
        file.write_text(text.replace('"number": 3', '"number": 4'))
    elif what == "foreign":
        file.write_text('{"id": 1}\n')
    elif what == "beyond":
        through = 6
    elif what == "none":
        file = tmp_path / "nothing"
    else:
        unguarded(f"UPDATE {EVENT} SET actor_label = 'x' WHERE id = %s", event_at(1))
    with pytest.raises(CommandError, match=r"[Nn]othing was deleted"):
        run("prune_audit_log", "--through", through, "--export", file)
    assert AuditEvent.objects.count() == 5
    assert not AuditPruneMarker.objects.exists()
