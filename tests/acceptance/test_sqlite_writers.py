"""Many processes that write to one SQLite file: all wait for their turn, nobody is refused."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.server import running_server
from tests.acceptance.test_several_processes import PREPARE, VERSION

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BY_THE_CLOCK = """
import json
from django.core.management import call_command
from registry.monitoring.jobs import run_all
for _ in range(8):
    run_all()
    call_command("seal_audit_log", verbosity=0)
print(json.dumps("done"))
"""


def writes(number: int) -> list[tuple[str, str, Any]]:
    """Give one caller's writes in several rooms, in order."""
    name = f"model-{number}"
    sample = {"model_id": f"{name}-1", "metric": "loss", "value": number}
    return [
        ("POST", "registry/models", {"name": name, "model_type": "llm", "tags": {"a": "b"}}),
        ("POST", f"registry/models/{name}/versions", VERSION),
        ("PUT", f"registry/models/{name}/aliases/champion", {"version": 1}),
        ("POST", "registry/thresholds", {"model": name, "metric": "loss", "critical": 5}),
        ("POST", "db/metrics", {"samples": [sample]}),
        ("PATCH", f"registry/models/{name}", {"description": "changed"}),
        ("POST", "policies", {"name": f"policy-{number}", "rules": {"methods": ["POST"]}}),
        ("DELETE", f"registry/models/{name}/aliases/champion", None),
        ("DELETE", f"registry/models/{name}", None),
    ]


def test_all_rooms_write_at_once(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=3, vendor="sqlite", threads=8) as server:
        key = server.shell(PREPARE)[0]

        def work(number: int) -> list[tuple[str, int]]:
            return [
                (f"{method} {path.split('/')[0]}", server.call(method, path, key, body).status_code)
                for method, path, body in writes(number)
            ]

        with ThreadPoolExecutor(26) as pool:
            clocks = [pool.submit(server.shell, BY_THE_CLOCK) for _ in range(2)]
            answers = Counter(
                answer for answered in pool.map(work, range(48)) for answer in answered
            )
            assert [clock.result() for clock in clocks] == ["done"] * 2
        log = (tmp_path / "server.log").read_text()
    assert {status for _, status in answers} <= {200, 201, 204}, answers
    assert "database is locked" not in log
