"""Leaks as they come and go: alarms with time, place, size and kind, from residuals, step by step.

Each step uses what was read until then and nothing later. When a sum crosses, the network is watched for some hours;
then what explains the residuals best is taken for true: a new leak, the growth of one there is, its end. What they show
is taken off all later ones, class of load by class, so that the next leak is seen beside those before it.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from network.leaks.cusum import Crossing, CusumBank, compute_increments
from network.leaks.distances import find_centre
from network.leaks.localisation import Evidence, Location, gather_evidence, locate_leak
from network.leaks.residuals import whiten

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Kind = Literal["abrupt", "incipient"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How eager and how patient the detection is; steps are those of the readings.

    ``threshold`` of the sums [-]; ``sizes`` tried [m3/s]; ``settle`` steps watched after a crossing before the next can
    come; ``radius`` [m] within which a place counts as found; ``sure`` the probability within it at which a place is
    named, ``patience`` the steps after which it is named anyway; ``sudden`` the steps within which an abrupt leak
    crosses; ``surprise`` what a new leak must explain better than the growth of an old one (log-likelihood).
    ``overlap`` is the probability within the radius of a running leak from which on what rises slowly is its growth.
    ``learned_error`` is that of what is taken off for a leak, as a share of it, ``young_error`` before a quiet day.
    """

    threshold: float = 20.0
    sizes: tuple[float, ...] = (2.0 / 3600.0, 6.0 / 3600.0, 18.0 / 3600.0)
    settle: int = 72
    refine: int = 288
    radius: float = 300.0
    sure: float = 0.6
    patience: int = 3 * 288
    sudden: int = 36
    surprise: float = 5.0
    overlap: float = 0.3
    learned_error: float = 0.05
    young_error: float = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A network that is watched.

    ``signatures`` (classes, pipes, channels) per m3/s; ``whitening`` (classes, channels, channels); distances
    (pipes, pipes), lengths (pipes,) [m]; ``drift`` (pipes,) [m3/s] what the model's slow error looks like in each
    pipe; ``visible`` (pipes,) tells in which pipes a leak would be seen.
    """

    signatures: Array
    whitening: Array
    distances: Array
    lengths: Array
    drift: Array
    visible: NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class Alarm:
    """A leak as known so far. Steps count from the first reading; sizes [m3/s].

    ``raised`` is when it was known that there is a leak, ``onset`` when it seems to have begun, ``ended`` when it was
    found to be over. ``places`` are (step, pipe) as they were named, ``sizes`` (step, size) as they were told.
    ``shift`` (classes, channels) is what it does to the residuals.
    """

    raised: int
    onset: int
    kind: Kind
    shift: Array
    location: Location
    pipe: int
    sizes: list[tuple[int, float]] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    ended: int | None = None
    is_young: bool = True


@dataclass(frozen=True, slots=True)
class _Pending:
    """A crossing that is being watched until ``due``."""

    raised: int
    onset: int
    due: int
    rising: bool


class Detector:
    """Watches residuals that come in blocks; ``alarms`` are in the order they were raised."""

    def __init__(self, watched: Watched, settings: Settings) -> None:
        self.watched, self.settings = watched, settings
        self.alarms: list[Alarm] = []
        self._white_signatures = np.einsum("cij,cpj->cpi", watched.whitening, watched.signatures)
        self._energy = np.einsum("cpk,cpk->cp", self._white_signatures, self._white_signatures)
        self._prior = np.where(watched.visible, watched.lengths, 0.0)
        classes, pipes, channels = watched.signatures.shape
        shape = (len(settings.sizes), pipes)
        self._rising, self._falling = CusumBank(shape, settings.threshold), CusumBank(shape, settings.threshold)
        self._other = np.zeros((classes, channels))
        self._centred = np.empty((0, channels))
        self._classes = np.empty(0, dtype=np.int64)
        self._next = 0
        self._pending: _Pending | None = None
        self._refining: tuple[int, int, Alarm | None] | None = None
        self._take_off()

    @property
    def steps(self) -> int:
        """Number of steps that were added."""
        return len(self._centred)

    def add(self, centred: Array, classes: Indices) -> None:
        """Watch the next steps: centred residuals (steps, channels), NaN where not read, and the classes of load."""
        self._centred = np.concatenate((self._centred, centred))
        self._classes = np.concatenate((self._classes, classes))
        while self._next < self.steps:
            if self._pending is not None:
                if self.steps < self._pending.due:
                    return
                self._decide(self._pending)
                continue
            end = self.steps
            if self._refining is not None:
                end = min(end, self._refining[1])
            crossing, rising = self._scan(self._next, end)
            if crossing is not None:
                self._pending = _Pending(
                    crossing.step, crossing.onset, crossing.step + 1 + self.settings.settle, rising
                )
            elif self._refining is not None and end == self._refining[1]:
                self._refine(*self._refining)

    def _take_off(self) -> None:
        """Sum up what is taken off, and set the sizes tried so that its error crosses nothing."""
        self._shift = self._other + sum((alarm.shift for alarm in self.alarms if alarm.ended is None), np.zeros(()))
        self._known = np.sqrt(
            sum((self._doubt(alarm) for alarm in self.alarms if alarm.ended is None), 0.0 * self._energy[:, 0])
        )
        error = np.sqrt(np.mean(self._known**2)) / np.sqrt(np.maximum(self._energy.mean(axis=0), 1.0e-12))
        least = np.maximum(4.0 * self.watched.drift, error)
        self._sizes = np.maximum(np.array(self.settings.sizes)[:, None], least[None, :])

    def _doubt(self, alarm: Alarm) -> Array:
        """Return the square of the error that what is taken off for a leak may have (classes,), white."""
        share = self.settings.young_error if alarm.is_young else self.settings.learned_error
        return np.asarray(share**2 * (self._whiten_shift(alarm.shift) ** 2).sum(axis=1))

    def _adjusted(self, begin: int, end: int) -> Array:
        classes = self._classes[begin:end]
        return whiten(self._centred[begin:end] - self._shift[classes], classes, self.watched.whitening)

    def _scan(self, begin: int, end: int) -> tuple[Crossing | None, bool]:
        """Run the sums from ``begin`` to ``end``; return the first crossing and whether a leak rose."""
        white, classes = self._adjusted(begin, end), self._classes[begin:end]
        match = np.empty((end - begin, self._energy.shape[1]))
        for index in range(len(self._energy)):
            rows = classes == index
            match[rows] = white[rows] @ self._white_signatures[index].T
        match[:, ~self.watched.visible] = 0.0
        for k in range(end - begin):
            energy = self._energy[classes[k]]
            self._next = begin + k + 1
            for bank, sign in ((self._rising, 1.0), (self._falling, -1.0)):
                crossing = bank.add(compute_increments(sign * match[k], energy, self._sizes), begin + k)
                if crossing is not None:
                    return crossing, sign > 0.0
        return None, False

    def _gather(self, begin: int, end: int) -> Evidence:
        return gather_evidence(self._adjusted(begin, end), self._classes[begin:end], self._known)

    def _locate(self, evidence: Evidence) -> Location:
        return locate_leak(evidence, self._white_signatures, self._prior)

    def _restart(self, step: int) -> None:
        self._take_off()
        self._next = step
        self._rising.restart(step)
        self._falling.restart(step)

    # What a crossing was

    def _decide(self, pending: _Pending) -> None:
        """Take for true what explains best what was seen since a crossing, and take that off from now on."""
        self._pending = self._refining = None
        evidence = self._gather(pending.onset, pending.due)
        running = [alarm for alarm in self.alarms if alarm.ended is None]
        nothing = float(evidence.score(np.zeros((evidence.counts.size, 1, evidence.sums.shape[1])))[0])
        best, change, old = nothing, 0.0, None
        if running:
            directions = np.stack([self._whiten_shift(alarm.shift) for alarm in running], axis=1)
            factors = np.clip(evidence.fit(directions, 1.0), -1.0, 2.0)
            scores = evidence.score(directions * factors[None, :, None])
            ends = evidence.score(-directions)
            k = int(np.argmax(np.maximum(scores, ends)))
            if max(scores[k], ends[k]) > best:
                best, old = float(max(scores[k], ends[k])), running[k]
                change = -1.0 if ends[k] >= scores[k] - 3.0 else float(factors[k])
        location = self._locate(evidence) if pending.rising else None
        if location is not None and location.score - self.settings.surprise > best:
            same = self._find_same(pending, location)
            if same is None:
                self._admit(pending, location)
            else:
                self._change(same, 0.0, pending)
        elif old is not None:
            self._change(old, change, pending)
        else:
            self._other = self._other + self._learn(pending.raised + 1, pending.due, self._zero())
            self._refining = (pending.due, pending.due + self.settings.refine, None)
        self._restart(pending.due)

    def _find_same(self, pending: _Pending, location: Location) -> Alarm | None:
        """Return the running leak that has grown, if what rose slowly may well lie within the radius of one."""
        if self._is_sudden(pending):
            return None
        running = [alarm for alarm in self.alarms if alarm.ended is None]
        near = [location.probability[self._near(alarm.pipe)].sum() for alarm in running]
        return running[int(np.argmax(near))] if near and max(near) >= self.settings.overlap else None

    def _near(self, pipe: int) -> NDArray[np.bool_]:
        return np.asarray(self.watched.distances[pipe] <= self.settings.radius)

    def _is_sudden(self, pending: _Pending) -> bool:
        return pending.raised - pending.onset < self.settings.sudden

    def _whiten_shift(self, shift: Array) -> Array:
        return np.asarray(np.einsum("cij,cj->ci", self.watched.whitening, shift))

    def _zero(self) -> Array:
        return np.zeros_like(self._other)

    def _learn(self, begin: int, end: int, expected: Array, weight: float = 20.0) -> Array:
        """Return the mean of the raw residuals of each class, drawn to what is expected as if seen ``weight`` steps."""
        classes = self._classes[begin:end]
        raw = self._centred[begin:end] - self._shift[classes]
        there = np.isfinite(raw)
        sums, counts = self._zero(), self._zero()
        np.add.at(sums, classes, np.where(there, raw, 0.0))
        np.add.at(counts, classes, there)
        return np.asarray((sums + weight * expected) / (counts + weight))

    def _admit(self, pending: _Pending, location: Location) -> None:
        """Enter a new leak."""
        size = float(location.sizes @ location.probability)
        expected = size * np.einsum("cpk,p->ck", self.watched.signatures, location.probability)
        kind: Kind = "abrupt" if self._is_sudden(pending) else "incipient"
        shift = self._learn(pending.raised + 1, pending.due, expected)
        alarm = Alarm(pending.raised, pending.onset, kind, shift, location, self._find_centre(location))
        alarm.sizes.append((pending.due, size))
        self.alarms.append(alarm)
        self._name(alarm, pending.due)
        self._refining = (pending.due, pending.due + self.settings.refine, alarm)

    def _find_centre(self, location: Location) -> int:
        return find_centre(location.probability, self.watched.distances, self.settings.radius)

    def _change(self, alarm: Alarm, factor: float, pending: _Pending) -> None:
        """Let a leak grow, shrink or end; ``factor`` is by how much of what it did, as far as that is known."""
        if factor <= -0.7:
            alarm.ended = pending.onset
            alarm.sizes.append((pending.due, 0.0))
            self._take_off()
            self._other = self._other + self._learn(pending.raised + 1, pending.due, self._zero())
            self._refining = (pending.due, pending.due + self.settings.refine, None)
            return
        alarm.shift = alarm.shift + self._learn(pending.raised + 1, pending.due, factor * alarm.shift)
        self._look_again(alarm, pending.due)
        self._refining = (pending.due, pending.due + self.settings.refine, alarm)
        if pending.rising and pending.raised > alarm.raised + self.settings.refine:
            alarm.kind = "incipient"

    def _refine(self, begin: int, end: int, alarm: Alarm | None) -> None:
        """A quiet day after a crossing: learn from it what the residuals are at all loads, and where the leak is."""
        self._refining = None
        learned = self._learn(begin, end, self._zero())
        if alarm is None or alarm.ended is not None:
            self._other = self._other + learned
        else:
            alarm.shift = alarm.shift + learned
            alarm.is_young = False
            self._look_again(alarm, end)
        self._take_off()

    def _look_again(self, alarm: Alarm, step: int) -> None:
        """Locate a leak by all that it does now."""
        counts = np.full(len(self._energy), self.settings.settle / len(self._energy))
        shift = self._whiten_shift(alarm.shift)
        alarm.location = self._locate(Evidence(shift * counts[:, None], counts, self._known))
        alarm.pipe = self._find_centre(alarm.location)
        alarm.sizes.append((step, float(alarm.location.sizes @ alarm.location.probability)))
        self._name(alarm, step)

    def _name(self, alarm: Alarm, step: int) -> None:
        """Name the place if it is sure enough or has been waited for, and again when it proves to be another."""
        near = self._near(alarm.pipe)
        sure = float(alarm.location.probability[near].sum()) >= self.settings.sure
        if not alarm.places:
            if sure or step - alarm.raised >= self.settings.patience:
                alarm.places.append((step, alarm.pipe))
        elif sure and not near[alarm.places[-1][1]]:
            alarm.places.append((step, alarm.pipe))
