"""Leaks as they come and go: alarms with time, place, size and kind, from residuals, step by step.

Each step uses what was read until then and nothing later. When a sum crosses, the network is watched for some hours;
then what explains the residuals best is taken for true: a new leak, the growth of one there is, its end. What they show
is taken off all later ones, class of load by class, so that the next leak is seen beside those before it.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from network.leaks.cusum import Crossing, CusumBank, choose_tried, compute_increments
from network.leaks.distances import find_centre
from network.leaks.localisation import Evidence, Location, gather_evidence, locate_leak
from network.leaks.residuals import whiten

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Kind = Literal["abrupt", "incipient"]


DOUBT = 1.2
"""Least size tried, over the size that the whole error of what is taken off looks like in a pipe."""

STRANGER = 0.7
"""Share of what a leak that nobody knew explains, from which on the end of a known one is taken for true."""

QUIET_DAYS = 5
"""After the last crossing, from which the leak that changed last is learned."""

FORGET = 0.5
"""Weight of what was learned of a leak before the last window: it may grow."""

LEAST_WEIGHT = 0.05
"""Of what is expected at a load itself, beside its difference to the next load."""

GROWN = 1.5
"""A leak that became so many times as big is incipient, however soon it was seen."""

PRIOR_STEPS = 20.0
"""What is expected counts as if it had been seen so many steps."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How eager and how patient the detection is; steps are those of the readings.

    ``threshold`` of the sums [-]; ``sizes`` tried [m3/s]; ``settle`` steps watched after a crossing before the next can
    come; ``radius`` [m] within which a place counts as found; ``sure`` the probability within it at which a place is
    named, ``patience`` the steps after which it is named anyway; ``sudden`` the steps within which an abrupt leak
    crosses; ``surprise`` what a new leak must explain better than the growth of an old one (log-likelihood).
    ``burst`` is what must speak for a leak that came at once (log-likelihood) for it to be no growth of another.
    ``still`` are the steps after which a leak that did not grow grows no more.
    ``overlap`` is the probability within the radius of a running leak from which on what rises slowly is its growth.
    ``learned_error`` is that of what is taken off for a leak, as a share of it, after a quiet day (less after more:
    by the root of their number), ``young_error`` before.
    """

    threshold: float = 30.0
    sizes: tuple[float, ...] = (2.0 / 3600.0, 6.0 / 3600.0, 18.0 / 3600.0)
    settle: int = 72
    refine: int = 288
    radius: float = 300.0
    sure: float = 0.6
    patience: int = 2 * 288
    sudden: int = 36
    surprise: float = 5.0
    burst: float = 80.0
    overlap: float = 0.6
    still: int = 14 * 288
    learned_error: float = 0.05
    young_error: float = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A network that is watched.

    ``signatures`` (classes, pipes, channels) per m3/s; ``whitening`` (classes, channels, channels); distances
    (pipes, pipes), lengths (pipes,) [m]; ``least`` (pipes,) [m3/s] the least size tried in each pipe, above the slow
    error of the model; ``visible`` (pipes,) tells in which pipes a leak would be seen; ``couple`` (differences,
    classes) are the differences between classes that are neighbours.
    """

    signatures: Array
    whitening: Array
    distances: Array
    lengths: Array
    least: Array
    visible: NDArray[np.bool_]
    couple: Array


@dataclass(slots=True, eq=False)
class Alarm:
    """A leak as known so far. Steps count from the first reading; sizes [m3/s].

    ``raised`` is when it was known that there is a leak, ``onset`` when it seems to have begun, ``changed`` when it
    last grew, ``ended`` when it was found to be over. ``places`` are (step, pipe) as they were named, ``sizes`` (step,
    size) as they were told.
    ``shift`` (classes, channels) is what it does to the residuals at each load, ``settled`` what it did before its last
    change, as learned in ``settled_days``; ``quiet_days`` went by since.
    """

    raised: int
    onset: int
    changed: int
    kind: Kind
    shift: Array
    location: Location
    pipe: int
    sizes: list[tuple[int, float]] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    ended: int | None = None
    quiet_days: int = 0
    settled: Array | None = None
    settled_days: int = 0
    lesson: "Lesson | None" = None


@dataclass(slots=True, eq=False)
class Lesson:
    """What was learned of a leak since it last changed: normal equations in the loads, and the evidence of its place.

    ``gram`` (classes, classes), ``moment`` (classes, channels), ``sums`` (classes, channels), ``counts`` (classes,).
    """

    gram: Array
    moment: Array
    sums: Array
    counts: Array


@dataclass(frozen=True, slots=True)
class _Pending:
    """A crossing that is being watched until ``due``."""

    raised: int
    onset: int
    due: int
    rising: bool


class Detector:
    """Watches residuals that come in blocks; ``alarms`` are in the order they were raised."""

    def __init__(self, watched: Watched, settings: Settings, *, start: int = 0) -> None:
        """``start`` is the first step in which a leak can begin."""
        self.watched, self.settings = watched, settings
        self.alarms: list[Alarm] = []
        self._white_signatures = np.einsum("cij,cpj->cpi", watched.whitening, watched.signatures)
        self._energy = np.einsum("cpk,cpk->cp", self._white_signatures, self._white_signatures)
        self._prior = np.where(watched.visible, watched.lengths, 0.0)
        classes, _, channels = watched.signatures.shape
        self._tried = choose_tried(self._white_signatures, watched.visible)
        shape = (len(settings.sizes), self._tried.size)
        self._rising, self._falling = CusumBank(shape, settings.threshold), CusumBank(shape, settings.threshold)
        steps = watched.couple
        # What was not seen at one load differs from what is expected as it did at the next.
        self._smooth = steps.T @ steps + LEAST_WEIGHT * np.eye(classes)
        self._other = np.zeros((classes, channels))
        self._centred = np.empty((0, channels))
        self._classes = np.empty(0, dtype=np.int64)
        self._weights = np.empty((0, classes))
        self._next = start
        self._pending: _Pending | None = None
        self._refining: tuple[int, int, Alarm | None] | None = None
        self._take_off()

    @property
    def steps(self) -> int:
        """Number of steps that were added."""
        return len(self._centred)

    def add(self, centred: Array, classes: Indices, weights: Array) -> None:
        """Watch the next steps: centred residuals (steps, channels), NaN where not read, and their loads.

        classes (steps,) is the load each is nearest to, weights (steps, classes) where it lies between loads.
        """
        self._centred = np.concatenate((self._centred, centred))
        self._classes = np.concatenate((self._classes, classes))
        self._weights = np.concatenate((self._weights, weights))
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
                wait = self.settings.settle * (1 if rising else 2)
                self._pending = _Pending(crossing.step, crossing.onset, crossing.step + 1 + wait, rising)
            elif self._refining is not None and end == self._refining[1]:
                self._refine(*self._refining)

    def _take_off(self) -> None:
        """Sum up what is taken off, and set the sizes tried so that its error crosses nothing."""
        self._taken = [alarm for alarm in self.alarms if alarm.ended is None]
        self._shift = self._other + sum((alarm.shift for alarm in self._taken), np.zeros(()))
        self._known = np.sqrt(
            sum((self._doubt(alarm) for alarm in self.alarms if alarm.ended is None), 0.0 * self._energy[:, 0])
        )
        error = self._known[:, None] / np.sqrt(np.maximum(self._energy, 1.0e-12))
        least = np.maximum(self.watched.least, DOUBT * error)
        self._sizes = np.maximum(np.array(self.settings.sizes)[None, :, None], least[:, None, :])

    def _doubt(self, alarm: Alarm) -> Array:
        """Return the square of the error that what is taken off for a leak may have (classes,), white."""
        shift = self._whiten_shift(alarm.shift)
        fresh = shift if alarm.settled is None else shift - self._whiten_shift(alarm.settled)
        seen = np.zeros(len(shift)) if alarm.lesson is None else np.diag(alarm.lesson.gram)
        sure = (alarm.quiet_days > 0) & (seen >= PRIOR_STEPS)
        share = self.settings.learned_error / np.sqrt(max(alarm.quiet_days, alarm.settled_days, 1))
        young = self.settings.young_error**2 * (fresh**2).sum(axis=1) + share**2 * ((shift - fresh) ** 2).sum(axis=1)
        return np.asarray(np.where(sure, share**2 * (shift**2).sum(axis=1), young))

    def _adjusted(self, begin: int, end: int) -> Array:
        raw = self._centred[begin:end] - self._weights[begin:end] @ self._shift
        return whiten(raw, self._classes[begin:end], self.watched.whitening)

    def _scan(self, begin: int, end: int) -> tuple[Crossing | None, bool]:
        """Run the sums from ``begin`` to ``end``; return the first crossing and whether a leak rose."""
        if not self._tried.size:
            self._next = end
            return None, False
        white, classes = self._adjusted(begin, end), self._classes[begin:end]
        match = np.empty((end - begin, self._tried.size))
        for index in range(len(self._energy)):
            rows = classes == index
            match[rows] = white[rows] @ self._white_signatures[index, self._tried].T
        for k in range(end - begin):
            energy, sizes = self._energy[classes[k], self._tried], self._sizes[classes[k]][:, self._tried]
            self._next = begin + k + 1
            for bank, sign in ((self._rising, 1.0), (self._falling, -1.0)):
                crossing = bank.add(compute_increments(sign * match[k], energy, sizes), begin + k)
                if crossing is not None:
                    return crossing, sign > 0.0
        return None, False

    def _gather(self, begin: int, end: int) -> Evidence:
        return gather_evidence(self._adjusted(begin, end), self._classes[begin:end], self._known)

    def _locate(self, evidence: Evidence) -> Location:
        return locate_leak(evidence, self._white_signatures, self._prior)

    def _restart(self, step: int) -> None:
        self._take_off()
        for alarm in self._taken:
            self._name(alarm, step)
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
            scores[[not self._may_grow(alarm, pending) for alarm in running]] = -np.inf
            ends = evidence.score(-directions)
            k = int(np.argmax(np.maximum(scores, ends)))
            if max(scores[k], ends[k]) > best:
                best, old = float(max(scores[k], ends[k])), running[k]
                change = -1.0 if ends[k] >= scores[k] - 3.0 else float(factors[k])
        location = self._locate(evidence) if pending.rising else None
        burst = self._is_sudden(pending) and location is not None and location.score > nothing + self.settings.burst
        if location is not None and (burst or location.score - self.settings.surprise > best):
            same = self._find_same(pending, location)
            if not self._lasts(pending, self._expect(location)):
                pass
            elif same is None:
                self._admit(pending, location)
            else:
                self._change(same, 0.0, pending)
        elif old is not None and not self._is_stranger(pending, evidence, best, nothing):
            if self._lasts(pending, change * self._whiten_shift(old.shift)):
                self._change(old, change, pending)
        else:
            self._absorb(pending.raised + 1, pending.due)
            self._refining = (pending.due, pending.due + self.settings.refine, None)
        self._restart(pending.due)

    def _expect(self, location: Location) -> Array:
        """Return what a leak does to the white residuals at each load (classes, channels)."""
        sizes = location.sizes * location.probability
        return np.asarray(np.einsum("cpk,p->ck", self._white_signatures, sizes))

    def _lasts(self, pending: _Pending, expected: Array) -> bool:
        """Return whether what explains a crossing holds to the end of the wait: errors of the model come and go."""
        late = self._gather(pending.due - self.settings.settle // 2, pending.due)
        with_it, without = late.score(np.stack((expected, np.zeros_like(expected)), axis=1))
        return bool(with_it > without)

    def _is_stranger(self, pending: _Pending, evidence: Evidence, best: float, nothing: float) -> bool:
        """Return whether what fell is better explained by a leak that nobody knew."""
        if pending.rising:
            return False
        fallen = self._locate(Evidence(-evidence.sums, evidence.counts, evidence.known))
        return STRANGER * (fallen.score - nothing) > best - nothing

    def _find_same(self, pending: _Pending, location: Location) -> Alarm | None:
        """Return the running leak that has grown, if what rose slowly may well lie within the radius of one."""
        if self._is_sudden(pending):
            return None
        running = [alarm for alarm in self.alarms if alarm.ended is None and self._may_grow(alarm, pending)]
        near = [location.probability[self._near(alarm.pipe)].sum() for alarm in running]
        return running[int(np.argmax(near))] if near and max(near) >= self.settings.overlap else None

    def _may_grow(self, alarm: Alarm, pending: _Pending) -> bool:
        """Return whether a leak may still grow: one that stood still for long does not, another one began beside it."""
        return pending.raised - alarm.changed <= self.settings.still

    def _near(self, pipe: int) -> NDArray[np.bool_]:
        return np.asarray(self.watched.distances[pipe] <= self.settings.radius)

    def _is_sudden(self, pending: _Pending) -> bool:
        return pending.raised - pending.onset < self.settings.sudden

    def _whiten_shift(self, shift: Array) -> Array:
        return np.asarray(np.einsum("cij,cj->ci", self.watched.whitening, shift))

    def _zero(self) -> Array:
        return np.zeros_like(self._other)

    def _absorb(self, begin: int, end: int) -> None:
        """Take off from now on what was seen and no leak explains."""
        weights = self._weights[begin:end]
        raw = self._centred[begin:end] - weights @ self._shift
        gram = weights.T @ weights + PRIOR_STEPS * self._smooth
        self._other = self._other + np.linalg.solve(gram, weights.T @ np.where(np.isfinite(raw), raw, 0.0))

    def _update(self, alarm: Alarm, begin: int, end: int) -> None:
        """Learn what a leak does from the steps in which it was watched; where it was not seen, its place tells."""
        weights, classes = self._weights[begin:end], self._classes[begin:end]
        rest = self._shift - alarm.shift if any(alarm is other for other in self._taken) else self._shift
        raw = self._centred[begin:end] - weights @ rest
        raw = np.where(np.isfinite(raw), raw, weights @ alarm.shift)
        evidence = gather_evidence(whiten(raw, classes, self.watched.whitening), classes, self._known)
        lesson = alarm.lesson or Lesson(
            np.zeros((weights.shape[1],) * 2), self._zero(), self._zero(), np.zeros(len(rest))
        )
        alarm.lesson = lesson = Lesson(
            FORGET * lesson.gram + weights.T @ weights,
            FORGET * lesson.moment + weights.T @ raw,
            FORGET * lesson.sums + evidence.sums,
            FORGET * lesson.counts + evidence.counts,
        )
        alarm.location = self._locate(Evidence(lesson.sums, lesson.counts, self._known))
        alarm.pipe = self._find_centre(alarm.location)
        sizes = alarm.location.sizes * alarm.location.probability
        told = np.einsum("cpk,p->ck", self.watched.signatures, sizes)
        prior = PRIOR_STEPS * self._smooth
        alarm.shift = np.linalg.solve(lesson.gram + prior, lesson.moment + prior @ told)
        alarm.sizes.append((end, float(sizes.sum())))
        self._name(alarm, end)

    def _admit(self, pending: _Pending, location: Location) -> None:
        """Enter a new leak."""
        kind: Kind = "abrupt" if self._is_sudden(pending) else "incipient"
        alarm = Alarm(
            pending.raised, pending.onset, pending.raised, kind, self._zero(), location, self._find_centre(location)
        )
        self.alarms.append(alarm)
        self._update(alarm, pending.raised + 1, pending.due)
        self._refining = (pending.due, pending.due + self.settings.refine, alarm)

    def _find_centre(self, location: Location) -> int:
        return find_centre(location.probability, self.watched.distances, self.settings.radius)

    def _change(self, alarm: Alarm, factor: float, pending: _Pending) -> None:
        """Let a leak grow, shrink or end; ``factor`` is by how much of what it did, as far as that is known."""
        if factor <= -0.7:
            alarm.ended = pending.onset
            alarm.sizes.append((pending.due, 0.0))
            self._take_off()
            self._absorb(pending.raised + 1, pending.due)
            self._refining = (pending.due, pending.due + self.settings.refine, None)
            return
        if alarm.quiet_days:
            alarm.settled, alarm.settled_days = alarm.shift, alarm.quiet_days
        alarm.lesson, alarm.quiet_days = None, 0
        alarm.changed = pending.raised
        self._update(alarm, pending.raised + 1, pending.due)
        self._refining = (pending.due, pending.due + self.settings.refine, alarm)
        if alarm.sizes[-1][1] > GROWN * alarm.sizes[0][1]:
            alarm.kind = "incipient"

    def _refine(self, begin: int, end: int, alarm: Alarm | None) -> None:
        """A quiet day after a crossing: learn from it what the residuals are at all loads, and where the leak is."""
        self._refining = None
        if alarm is None or alarm.ended is not None:
            self._absorb(begin, end)
        else:
            alarm.quiet_days += 1
            self._update(alarm, begin, end)
            if alarm.quiet_days < QUIET_DAYS:
                self._refining = (end, end + self.settings.refine, alarm)
        self._take_off()

    def _name(self, alarm: Alarm, step: int) -> None:
        """Name the place when it is sure enough or has been waited for; name it anew when it proved to be another."""
        waited = step - alarm.raised >= self.settings.patience
        if not alarm.quiet_days and not waited:
            return
        sure = float(alarm.location.probability[self._near(alarm.pipe)].sum()) >= self.settings.sure
        if not alarm.places:
            due = sure or waited
        else:
            named = [pipe for _, pipe in alarm.places]
            due = sure and alarm.quiet_days > 0 and not self._near(alarm.pipe)[named].any()
        if due:
            alarm.places.append((step, alarm.pipe))
