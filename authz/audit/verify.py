"""Verifying the audit log: every event against its code, its seal and the chain.

What it cannot see, and says so in docs/security.md: an event deleted before it was sealed, and a
tail cut off with its seals and checkpoints, unless an exported checkpoint is held against it.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connection

from authz.audit import triggers
from authz.audit.chain import GENESIS, Checkpoint, is_marker_genuine, link
from authz.audit.stored import is_genuine, sealed_rows, unsealed_rows
from authz.models import AuditCheckpoint, AuditPruneMarker, AuditSeal

BATCH = 1000
MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that should not be.

    Args:
        kind: What, in one word.
        message: What, in a sentence.
        seq: Where in the chain; None for what has no place in it.
    """

    kind: str
    message: str
    seq: int | None = None


@dataclass(slots=True)
class Report:
    """What verifying found.

    Args:
        first_seq, last_seq: The part of the chain that was looked at.
        event_count: Events that were held against their seals.
        pruned_count: Seals whose events were pruned.
        unsealed_count: Events that are not sealed yet; held against their codes only.
        problems: By sequence number, what has none at the end; at most MAX_PROBLEMS.
    """

    first_seq: int = 1
    last_seq: int = 0
    event_count: int = 0
    pruned_count: int = 0
    unsealed_count: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Give it as values."""
        return {**asdict(self), "is_intact": self.is_intact}


def verify(
    *, checkpoint: Checkpoint | None = None, last: int | None = None, progress: Any = None
) -> Report:
    """Verify the log.

    Args:
        checkpoint: An exported one to hold against the chain.
        last: Verify only so many of the newest seals, whose first is believed to follow, and as
            many events that are not sealed.
        progress: Called with the number of seals after each batch.
    """
    return _Verification(checkpoint, last).run(progress or (lambda _: None))


class _Verification:
    def __init__(self, checkpoint: Checkpoint | None, last: int | None) -> None:
        self.report = Report()
        self.last = last
        # Before the head: a checkpoint that is written meanwhile must not look like a cut tail.
        kept = list(AuditCheckpoint.objects.order_by("id"))
        head = AuditSeal.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
        self.report.last_seq = head
        if last is not None:
            self.report.first_seq = max(head - last + 1, 1)
        self.pruned_through = 0
        self.expected = self._known_heads(kept, checkpoint)

    def run(self, progress: Any) -> Report:
        self._check_markers()
        previous = self._hash_before()
        seq = self.report.first_seq
        for batch in sealed_rows(after=seq - 1, through=self.report.last_seq, batch=BATCH):
            for number, event_id, event_mac, chain_hash, *event in batch:
                if number != seq:
                    self._add("seal_missing", f"Seals {seq} to {number - 1} are missing.", seq)
                elif link(previous, seq, event_id, event_mac) != chain_hash:
                    self._add("seal_changed", "The seal does not follow from the one before.", seq)
                self._check_event(number, event_id, event_mac, event)
                self._check_head(number, chain_hash)
                previous, seq = chain_hash, number + 1
            progress(len(batch))
        self._check_unsealed()
        for seq in sorted(self.expected):
            self._add(
                "tail_cut",
                f"A checkpoint signs sequence {seq}, but the chain ends at {self.report.last_seq}.",
                self.report.last_seq + 1,
            )
        for name in triggers.altered(connection):
            self._add("trigger_missing", f"The trigger {name} is missing, off or altered.")
        self.report.problems.sort(key=lambda problem: (problem.seq is None, problem.seq or 0))
        return self.report

    def _add(self, kind: str, message: str, seq: int | None = None) -> None:
        if len(self.report.problems) < MAX_PROBLEMS:
            self.report.problems.append(Problem(kind, message, seq))

    def _known_heads(
        self, rows: list[AuditCheckpoint], exported: Checkpoint | None
    ) -> dict[int, set[str]]:
        """Give the hashes that signed checkpoints name, by sequence number."""
        heads: dict[int, set[str]] = {}
        kept = [Checkpoint.of(row) for row in rows]
        for checkpoint in [*kept, *([exported] if exported else [])]:
            if not checkpoint.is_genuine:
                self._add(
                    "checkpoint_forged",
                    f"The checkpoint of sequence {checkpoint.seq} is not signed by AUDIT_KEY.",
                    checkpoint.seq,
                )
            elif checkpoint.seq >= self.report.first_seq:
                heads.setdefault(checkpoint.seq, set()).add(checkpoint.chain_hash)
        return heads

    def _check_markers(self) -> None:
        for row in AuditPruneMarker.objects.order_by("id"):
            if is_marker_genuine(
                row.signature,
                through_seq=row.through_seq,
                chain_hash=row.chain_hash,
                export_sha256=row.export_sha256,
                at=row.created_at,
            ):
                self.pruned_through = max(self.pruned_through, row.through_seq)
                self.expected.setdefault(row.through_seq, set()).add(row.chain_hash)
            else:
                self._add("marker_forged", f"The prune marker {row.pk} is not signed by AUDIT_KEY.")
        first = self.report.first_seq
        self.expected = {seq: hashes for seq, hashes in self.expected.items() if seq >= first}

    def _hash_before(self) -> str:
        if self.report.first_seq == 1:
            return GENESIS
        rows = AuditSeal.objects.filter(seq=self.report.first_seq - 1)
        return rows.values_list("chain_hash", flat=True).first() or ""

    def _check_event(self, seq: int, event_id: int, sealed_mac: str, event: list[Any]) -> None:
        found_id, mac, *values = event
        if found_id is None:
            if seq > self.pruned_through:
                self._add("event_missing", f"The event {event_id} is gone.", seq)
            self.report.pruned_count += 1
            return
        self.report.event_count += 1
        if not is_genuine(mac, tuple(values)):
            self._add("event_changed", f"The event {event_id} was changed.", seq)
        elif mac != sealed_mac:
            self._add("event_moved", f"Another event stands in the place of {event_id}.", seq)

    def _check_head(self, seq: int, chain_hash: str) -> None:
        for known in self.expected.pop(seq, ()):
            if known != chain_hash:
                self._add("checkpoint_differs", "A signed checkpoint names another hash here.", seq)

    def _check_unsealed(self) -> None:
        for batch in unsealed_rows(batch=BATCH, last=self.last):
            for event_id, mac, *values in batch:
                self.report.unsealed_count += 1
                if not is_genuine(mac, tuple(values)):
                    self._add(
                        "event_changed", f"The event {event_id}, not sealed yet, was changed."
                    )
