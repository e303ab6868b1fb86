"""Faults of devices, as people who keep gauges know them: stuck, drift, spike, silence.

Which series is at fault when is drawn from hashes of (seed, series, six hours): the same at every run. A stuck device
repeats the first value it would have sent. Drift and spikes are shares of the span a series covers in two days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from layers.errors import InputError
from twin.demo.plan import Flags, Floats
from twin.demo.shapes import hash_uniform
from twin.simulation.fleets import Measured, key_of

Kind = Literal["stuck", "drift", "spike", "silence"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SLOT = 6 * 3600
DRIFT_AN_HOUR = 0.25
SPIKE_SHARE, SPIKE_SIZE = 0.25, 1.5
USUAL_SPAN, LEAST_SPAN = 1.5, 0.1


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that a person asked for: what happens to which sensor from ``start`` on [Unix s]."""

    kind: Kind
    sensor_id: str
    start: float


def read_kind(word: str) -> Kind:
    """Return the kind of fault called ``word``; InputError names the kinds there are."""
    for kind in KINDS:
        if kind == word:
            return kind
    raise InputError(f"there is no fault '{word}'", hint=f"one of {', '.join(KINDS)}")


class Spoiler:
    """Spoils readings by the faults asked for and, in a ``share`` of all six-hour slots of series, by chance.

    ``spans`` tells how far apart the results of each series lie; chance spoils nothing before ``begin`` [Unix s].
    """

    def __init__(
        self, faults: list[Fault], share: float, seed: int, spans: Mapping[str, float], begin: float = 0.0
    ) -> None:
        self._faults = {fault.sensor_id: fault for fault in faults}
        self._share, self._seed, self._spans, self._begin = share, seed, spans, begin
        # By series and start of the fault, so that a device stays stuck over many windows.
        self._held: dict[tuple[str, float], float] = {}

    def spoil(self, measured: Measured) -> Measured:
        """Return the readings as the faulty device would send them; silence leaves some or all out."""
        name, seconds = measured.datastream_id, measured.seconds
        size = max(self._spans.get(name, USUAL_SPAN), LEAST_SPAN)
        asked = self._faults.get(measured.sensor_id)
        if asked is not None:
            start = np.full(len(seconds), asked.start)
            return self._apply(measured, asked.kind, seconds >= start, start, size)
        if self._share <= 0.0:
            return measured
        slots = (seconds // SLOT).astype(np.int64)
        hit = (hash_uniform(self._seed, 61, key_of(name), slots) < self._share) & (seconds >= self._begin)
        if not hit.any():
            return measured
        drawn = (hash_uniform(self._seed, 62, key_of(name), slots) * len(KINDS)).astype(np.int64)
        start = np.asarray(slots * SLOT, np.float64)
        for number, kind in enumerate(KINDS[:-1]):
            measured = self._apply(measured, kind, hit & (drawn == number), start, size)
        # Last, for it takes readings away.
        return self._apply(measured, "silence", hit & (drawn == len(KINDS) - 1), start, size)

    def _apply(self, measured: Measured, kind: Kind, hit: Flags, start: Floats, size: float) -> Measured:
        name, seconds, result = measured.datastream_id, measured.seconds, measured.result.copy()
        if kind == "silence":
            return Measured(name, measured.sensor_id, seconds[~hit], result[~hit])
        if kind == "stuck":
            for place in np.flatnonzero(hit):
                result[place] = self._held.setdefault((name, float(start[place])), float(result[place]))
        elif kind == "drift":
            result[hit] += DRIFT_AN_HOUR * size * ((seconds - start)[hit] / 3600.0)
        else:
            chance = hash_uniform(self._seed, 63, key_of(name), (seconds * 1000).astype(np.int64))
            up = np.where(chance < SPIKE_SHARE / 2, 1.0, -1.0)
            result = np.where(hit & (chance < SPIKE_SHARE), result + up * SPIKE_SIZE * size, result)
        return Measured(name, measured.sensor_id, seconds, result.round(4))
