"""What users, writers and devices met: how often each kind of request was asked, how it ended and how long it took."""

from array import array
from collections import Counter
from dataclasses import dataclass

import numpy as np

UNANSWERED = 0
"""Stands for a status where no answer came: the connection broke, or patience ran out."""
REFUSED = frozenset({429, 503})
"""The server said in time that it had no time."""
CONFLICTS = frozenset({409, 412})
"""Two edited the same at once, and one of them was told."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One kind of request: how many there were, how many ended in which way, and times of answers [ms]."""

    kind: str
    count: int
    failed: int
    refused: int
    conflicts: int
    p50: float
    p95: float
    p99: float


class Tally:
    """Counts by kind; everything is recorded by one event loop, or by a thread for a kind of its own."""

    def __init__(self) -> None:
        self._seconds: dict[str, array[float]] = {}
        self._statuses: dict[str, Counter[int]] = {}
        self.acknowledged: Counter[str] = Counter()
        """What the twin said it has, by kind: what a count in the database must not fall below."""
        self.faults: Counter[str] = Counter()
        """Answers that came and were wrong, in words."""

    def record(self, kind: str, status: int, seconds: float) -> None:
        """Note one request: the status of its answer (``UNANSWERED`` without one) and how long it took [s]."""
        if kind not in self._seconds:
            self._seconds[kind], self._statuses[kind] = array("d"), Counter()
        self._seconds[kind].append(seconds)
        self._statuses[kind][status] += 1

    @property
    def requests(self) -> int:
        """How many requests there were."""
        return sum(len(seconds) for seconds in self._seconds.values())

    @property
    def failed(self) -> int:
        """How many of them ended in an error; what was refused in time and what two edited at once is none."""
        return sum(figures.failed for figures in self.describe())

    def list_statuses(self, kind: str) -> dict[int, int]:
        """Return how often each status came for ``kind``."""
        return dict(self._statuses.get(kind, {}))

    def describe(self) -> list[Figures]:
        """Return the figures of every kind, by name."""
        return [self._describe(kind) for kind in sorted(self._seconds)]

    def _describe(self, kind: str) -> Figures:
        statuses = self._statuses[kind]
        refused, conflicts = (sum(statuses[one] for one in several) for several in (REFUSED, CONFLICTS))
        failed = sum(count for status, count in statuses.items() if status == UNANSWERED or status >= 400)
        p50, p95, p99 = (float(value) * 1e3 for value in np.percentile(self._seconds[kind], (50, 95, 99)))
        return Figures(kind, len(self._seconds[kind]), failed - refused - conflicts, refused, conflicts, p50, p95, p99)
