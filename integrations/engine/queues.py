"""The queues: few of them, since every worker asks each one for work several times a second."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Queue:
    """Where jobs wait.

    Args:
        poll_s: How often a worker asks; it starts at most its concurrency of jobs each time.
        per_partition: Jobs of one partition that run at once, over all workers. A queue that has
            this takes only jobs that name their partition.
    """

    poll_s: float = 0.2
    per_partition: int | None = None


QUEUES = {
    "flows": Queue(poll_s=0.1),
    "sync": Queue(),
    "monitor": Queue(),
    "suites": Queue(),
    # Of jobs that belong to an endpoint, in three tiers. Deliveries of webhooks have a table of
    # their own, from which they are taken faster.
    "hooks": Queue(per_partition=8, poll_s=0.5),
    "hooks_slow": Queue(per_partition=2, poll_s=0.5),
    "hooks_ordered": Queue(per_partition=1, poll_s=0.5),
}
