"""Prometheus metrics of the process, summed over all web processes of a machine.

prometheus_client keeps each process's numbers in a memory-mapped file when
PROMETHEUS_MULTIPROC_DIR is set (`manage.py serve` sets it), and adds them up when scraped.
https://prometheus.github.io/client_python/multiprocess/
"""

import hmac
import logging
import os
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

log = logging.getLogger("intmod.metrics")

LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

http_requests = Counter(
    "http_server_requests_total", "Requests answered.", ["method", "route", "status"]
)
http_duration = Histogram(
    "http_server_request_duration_seconds",
    "Time from the request's arrival to the answer's first byte.",
    ["method", "route"],
    buckets=LATENCY_BUCKETS_S,
)

asked: list[Collector] = []
"""What apps tell of the whole installation, not of a process: asked at each scrape."""

KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def observe_request(method: str, route: str, status: int, duration_s: float) -> None:
    """Count one answered request; invented methods share one label so that none can flood it."""
    method = method if method in KNOWN_METHODS else "OTHER"
    requests, duration = _of_route(method, route, status)
    requests.inc()
    duration.observe(duration_s)


@lru_cache(maxsize=4096)
def _of_route(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Look the labels up once: that costs more than counting."""
    return (
        http_requests.labels(method, route, str(status)),
        http_duration.labels(method, route),
    )


@require_safe
def metrics_view(request: HttpRequest) -> HttpResponse:
    """Answer a Prometheus scrape that carries METRICS_TOKEN as its Bearer token."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if not hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        return HttpResponse(
            "Send METRICS_TOKEN as a Bearer token.\n",
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
        )
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    told = generate_latest(registry) + _told_by_apps()
    return HttpResponse(told, content_type=CONTENT_TYPE_LATEST)


def _told_by_apps() -> bytes:
    registry = CollectorRegistry()
    try:
        for collector in asked:
            registry.register(collector)
        return generate_latest(registry)
    except DatabaseError:
        # What the processes counted is worth having all the same.
        log.warning("the database does not answer a scrape", exc_info=True)
        return b""
