"""What became of jobs, as the engine's tables tell."""

from collections.abc import Sequence

from integrations.engine.tables import OPEN, marks, rows


def states(workflow_ids: Sequence[str]) -> dict[str, str]:
    """Give the status of each job that is there, in the engine's words."""
    if not workflow_ids:
        return {}
    sql = "SELECT workflow_uuid, status FROM {workflow_status} WHERE workflow_uuid IN "
    return dict(rows(f"{sql}({marks(workflow_ids)})", workflow_ids))


def open_jobs(workflow_ids: Sequence[str]) -> set[str]:
    """Give those that wait or run."""
    return {one for one, status in states(workflow_ids).items() if status in OPEN}
