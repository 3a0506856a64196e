"""Counts for Prometheus, right with any number of worker processes.

Each worker counts in files of its own, mapped into memory (``app.telemetry.metric_files``), and a
scrape adds them up. No process has a gauge of its own: that of a killed worker would be wrong until
another has its slot.
"""

import os
from collections.abc import Sequence
from functools import cache

from flask import Blueprint, Response
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
    values,
)
from prometheus_client.registry import Collector

from app.http.routes import Surface
from app.telemetry.metric_files import FOLDER, SLOT, UNCOUNTED
from app.telemetry.request_records import RequestRecord

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 20)
"""Upper bounds in seconds: an answer takes about one millisecond, a picture ten to a thousand."""


ALONE = (
    b"# These are the counts of one process. If there are more, each has its own, and another\n"
    b"# answer may come from another. PROMETHEUS_MULTIPROC_DIR names a folder to sum them in.\n"
)


@cache
def _slot() -> str:
    """Return the slot of this process; the library asks for it several times a request.

    Under another server than gunicorn with our settings it is the process id.
    """
    return os.environ.get(SLOT) or f"pid{os.getpid()}"


os.register_at_fork(after_in_child=_slot.cache_clear)


class Metrics:
    """Counts requests, latencies, predictions and refused inputs from their records."""

    def __init__(self, collectors: Sequence[Collector] = ()) -> None:
        """Begin to count.

        Args:
            collectors: give more, which every process reads from one place.
        """
        disable_created_metrics()  # of no use with many workers
        if os.environ.get(FOLDER):
            # By default the library names its files after the process.
            values.ValueClass = values.MultiProcessValue(_slot)
        self._collectors = collectors
        self._registry = registry = self._make_registry()
        self._requests = Counter(
            "formcast_requests", "Requests answered.", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "formcast_request_seconds",
            "Seconds until the answer was ready, without its sending.",
            ["route"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._predictions = Counter(
            "formcast_predictions", "Predictions made.", ["model"], registry=registry
        )
        self._out_of_distribution = Counter(
            "formcast_out_of_support",
            "Questions unlike anything that the model has seen.",
            ["model"],
            registry=registry,
        )
        self._refused = Counter(
            "formcast_refused_inputs",
            "Values that a field could not take.",
            ["model", "field"],
            registry=registry,
        )
        self._reports = Counter(
            "formcast_reports",
            "Reports of visitors: kept, refused, deleted, or lost because the database failed.",
            ["result"],
            registry=registry,
        )

    def _make_registry(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        for collector in self._collectors:
            registry.register(collector)
        return registry

    def __call__(self, record: RequestRecord) -> None:
        """Count one request."""
        if _slot() == UNCOUNTED:
            return
        self._requests.labels(record.route, record.status).inc()
        self._seconds.labels(record.route).observe(record.ms / 1000)
        outcome = record.outcome
        if outcome is None:
            return
        if outcome.predictions:
            self._predictions.labels(record.model).inc(outcome.predictions)
        if outcome.out_of_distribution:
            self._out_of_distribution.labels(record.model).inc(outcome.out_of_distribution)
        if outcome.report:
            self._reports.labels(outcome.report).inc()
        for name in outcome.refused:
            self._refused.labels(record.model, name).inc()

    def export(self) -> bytes:
        """Write the counts of all workers, as Prometheus reads them."""
        if not os.environ.get(FOLDER):
            return ALONE + generate_latest(self._registry)
        registry = self._make_registry()
        multiprocess.MultiProcessCollector(registry)
        return generate_latest(registry)


def metrics_blueprint(metrics: Metrics) -> Blueprint:
    """Make the route that Prometheus reads."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics", surface=Surface.PROBE)
    def scrape() -> Response:
        headers = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"}
        return Response(metrics.export(), headers=headers)

    return blueprint
