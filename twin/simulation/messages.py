"""Readings as the messages devices send: SensorThings Observations, one or several of a series."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import orjson

from twin.simulation.fleets import Measured


class Message(NamedTuple):
    """What is published: topic, payload, and how many observations it holds."""

    topic: str
    payload: bytes
    observations: int


class Bundler:
    """Gathers readings by series and gives a message when ``batch`` of them are there, as loggers do."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._waiting: dict[str, list[tuple[float, float]]] = {}

    def add(self, measured: Measured) -> Iterator[Message]:
        """Yield the messages that are full now."""
        name = measured.datastream_id
        waiting = self._waiting.setdefault(name, [])
        waiting += zip(measured.seconds.tolist(), measured.result.tolist(), strict=True)
        full = len(waiting) // self._batch * self._batch
        for start in range(0, full, self._batch):
            yield write_message(name, waiting[start : start + self._batch])
        self._waiting[name] = waiting[full:]

    def flush(self) -> Iterator[Message]:
        """Yield what waits, in messages that are not full."""
        for name, waiting in self._waiting.items():
            if waiting:
                yield write_message(name, waiting)
        self._waiting.clear()


def write_message(datastream_id: str, readings: list[tuple[float, float]]) -> Message:
    """Return the message of one series' readings (Unix time [s], result): an Observation, or a list of them."""
    shown = [{"phenomenonTime": write_time(seconds), "result": result} for seconds, result in readings]
    quoted = datastream_id.replace("'", "''")
    return Message(
        f"v1.1/Datastreams('{quoted}')/Observations", orjson.dumps(shown[0] if len(shown) == 1 else shown), len(shown)
    )


def write_time(seconds: float) -> str:
    """Return a Unix time as ISO 8601 in UTC, with a fraction where it has one."""
    moment = datetime.fromtimestamp(round(seconds, 6), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if moment.microsecond else "%Y-%m-%dT%H:%M:%SZ")
