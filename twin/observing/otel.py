"""The bridge to OpenTelemetry; imported only where traces are on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from twin.observing.traces import PARENT, Kind
from twin.settings import Settings

_KINDS = {
    "internal": trace.SpanKind.INTERNAL,
    "server": trace.SpanKind.SERVER,
    "producer": trace.SpanKind.PRODUCER,
    "consumer": trace.SpanKind.CONSUMER,
}


class OpenTelemetry:
    """Spans of one part, sent in batches by a thread of their own."""

    def __init__(self, part: str, settings: Settings) -> None:
        resource = Resource.create({"service.name": f"twin-{part}", "host.name": settings.machine})
        self._provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=f"{(settings.traces or '').rstrip('/')}/v1/traces", timeout=5)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("twin")

    @contextmanager
    def span(self, name: str, kind: Kind, parent: str | None, attributes: Mapping[str, Any]) -> Iterator[trace.Span]:
        """Open a span for the time of the block; what is raised is noted in it."""
        context = propagate.extract({PARENT: parent}) if parent else None
        with self._tracer.start_as_current_span(
            name, context=context, kind=_KINDS[kind], attributes=dict(attributes)
        ) as opened:
            yield opened

    def read_parent(self) -> str | None:
        """Return the open span as a ``traceparent``."""
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        return carrier.get(PARENT)

    def stop(self) -> None:
        """Send what waits and end."""
        self._provider.shutdown()
