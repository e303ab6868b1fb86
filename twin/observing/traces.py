"""Traces by OpenTelemetry, for who asks for them; else nothing is imported and a span costs a comparison."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, Protocol

from layers.errors import SetupError
from twin.settings import Settings

Kind = Literal["internal", "server", "producer", "consumer"]
PARENT = "traceparent"
"""The name of the header of W3C Trace Context, and of what a job carries."""


class Span(Protocol):
    """What is known of one piece of work."""

    def update_name(self, name: str) -> None:
        """Name it anew."""

    def set_attribute(self, key: str, value: Any) -> None:
        """Add what it was about."""


class Tracer(Protocol):
    """Makes spans and sends them."""

    def span(self, name: str, kind: Kind, parent: str | None, attributes: Mapping[str, Any]) -> Any:
        """Return a context manager that gives a span."""
        ...

    def read_parent(self) -> str | None:
        """Return the span that is open here as a ``traceparent``."""
        ...

    def stop(self) -> None:
        """Send what waits and end."""
        ...


_tracer: Tracer | None = None


def begin_traces(part: str, settings: Settings) -> None:
    """Let this process send traces as ``part`` where the settings name a collector.

    Raises SetupError where the packages of the extra ``otel`` are missing.
    """
    global _tracer
    if settings.traces is None or _tracer is not None:
        return
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.exporter") is None:
        raise SetupError("TWIN_TRACES is set, but OpenTelemetry is not installed", hint="pip install city-twin[otel]")
    made: Tracer = import_module("twin.observing.otel").OpenTelemetry(part, settings)
    _tracer = made


def end_traces() -> None:
    """Send what waits; there are no more traces."""
    global _tracer
    if _tracer is not None:
        _tracer.stop()
        _tracer = None


@contextmanager
def span(
    name: str, kind: Kind = "internal", parent: str | None = None, **attributes: str | int | float
) -> Iterator[Span | None]:
    """Trace the block as a piece of work, below ``parent`` or what is open here; None where traces are off."""
    if _tracer is None:
        yield None
        return
    with _tracer.span(name, kind, parent, attributes) as opened:
        yield opened


def read_parent() -> str | None:
    """Return the span that is open here as a ``traceparent``, None where traces are off."""
    return None if _tracer is None else _tracer.read_parent()
