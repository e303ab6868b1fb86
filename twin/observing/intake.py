"""What the ingest of MQTT counts, read from its own account when somebody asks."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from twin.observing.work import make_part_registry
from twin.sensors.ingest import Ingest


class IntakeFigures(Collector):
    """The figures of one ingest."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self.registry = make_part_registry()
        self.registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield counts since the start, and how it stands."""
        done = self._ingest.progress
        for name, words, count in (
            ("messages", "Messages stored", done.messages),
            ("readings", "Readings in them", done.readings),
            ("rejected_readings", "Readings that were rejected", done.rejected),
            ("spilled_messages", "Messages kept on disk while the database was away", done.spilled),
        ):
            yield CounterMetricFamily(f"twin_ingest_{name}", words, value=count)
        yield GaugeMetricFamily("twin_ingest_spill_bytes", "What waits on disk [B]", value=self._ingest.spilled_bytes)
        yield GaugeMetricFamily(
            "twin_ingest_connected", "Whether the broker is there", value=float(self._ingest.is_connected)
        )
