"""What a Prometheus scrape is told of queues and workers, asked of the database each time."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from integrations.engine.overview import queue_states
from integrations.models import Worker


class EngineMeasures:
    """See prometheus_client's `Collector`."""

    def collect(self) -> Iterator[Metric]:
        """Ask."""
        jobs = GaugeMetricFamily(
            "intmod_jobs", "Jobs that are not over.", labels=["queue", "state"]
        )
        oldest = GaugeMetricFamily(
            "intmod_oldest_waiting_job_seconds", "Age of the oldest waiting job.", labels=["queue"]
        )
        for queue in queue_states():
            for state in ("waiting", "delayed", "running"):
                jobs.add_metric([queue.name, state], getattr(queue, state))
            oldest.add_metric([queue.name], queue.oldest_s or 0)
        yield jobs
        yield oldest
        yield GaugeMetricFamily(
            "intmod_workers", "Workers that are alive.", value=Worker.objects.alive().count()
        )
