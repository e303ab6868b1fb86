"""What a worker counts: jobs by process and outcome, and how long they took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

_BUCKETS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)


def make_part_registry() -> CollectorRegistry:
    """Return the figures of a process that counts nothing of its own: processor time, memory, open files."""
    registry = CollectorRegistry()
    ProcessCollector(namespace="twin", registry=registry)
    return registry


class WorkFigures:
    """The figures of one worker."""

    def __init__(self) -> None:
        self.registry = make_part_registry()
        self._seconds = Histogram(
            "twin_job_duration_seconds", "Time a job took [s]", ("task", "outcome"),
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._running = Gauge("twin_jobs_at_work", "Jobs this worker is at", registry=self.registry)

    @contextmanager
    def measure(self, task: str) -> Iterator[None]:
        """Count the block as a job of ``task``; one that raises has failed."""
        began, outcome = time.perf_counter(), "failed"
        with self._running.track_inprogress():
            try:
                yield
                outcome = "done"
            finally:
                self._seconds.labels(task, outcome).observe(time.perf_counter() - began)
