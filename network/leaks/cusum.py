"""Page's CUSUM for many leaks at once: each pipe and each of some sizes is a hypothesis with a sum of its own.

The increment is the log-likelihood ratio of white residuals with and without the leak, so a sum climbs where a leak of
at least half the tried size runs and falls where none does. Page 1954, doi:10.1093/biomet/41.1-2.100; Lorden 1971,
doi:10.1214/aoms/1177693055: with threshold h a false alarm of one sum comes after exp(h) steps or more in the mean.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


ALIKE = 0.97
"""Cosine of the white signatures of two pipes, from which on one is tried for both."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A sum that passed the threshold at ``step`` and left zero last at ``onset``; ``hypothesis`` is its index."""

    step: int
    onset: int
    hypothesis: tuple[int, ...]


class CusumBank:
    """Sums of any shape that go on from call to call. ``threshold`` is a log-likelihood ratio, above 0."""

    def __init__(self, shape: tuple[int, ...], threshold: float) -> None:
        self.threshold = threshold
        self.sums = np.zeros(shape)
        self._zero = np.zeros(shape, dtype=np.int64)

    def restart(self, step: int) -> None:
        """Set all sums to zero, as of ``step``."""
        self.sums[...] = 0.0
        self._zero[...] = step

    def add(self, increments: Array, step: int) -> Crossing | None:
        """Add the increments of ``step`` (of the bank's shape); return the highest sum if it passed the threshold."""
        np.add(self.sums, increments, out=self.sums)
        fallen = self.sums <= 0.0
        self.sums[fallen] = 0.0
        self._zero[fallen] = step + 1
        highest = int(np.argmax(self.sums))
        if self.sums.flat[highest] < self.threshold:
            return None
        where = tuple(int(index) for index in np.unravel_index(highest, self.sums.shape))
        return Crossing(step, int(self._zero[where]), where)


def compute_increments(match: Array, energy: Array, sizes: Array) -> Array:
    """Return log-likelihood ratios of leaks (sizes, pipes) at one step: size · match − size² · energy / 2.

    match (pipes,) is the product of the white residual and a pipe's white signature, energy (pipes,) the signature's
    square, sizes (sizes, pipes) [m3/s].
    """
    return np.asarray(sizes * (match - 0.5 * sizes * energy))


def choose_tried(signatures: Array, visible: NDArray[np.bool_]) -> Indices:
    """Return pipes whose white signatures (classes, pipes, channels) stand for those of all that are visible.

    Each visible pipe has a cosine of ALIKE or more with one of them: the one that stands for most goes first.
    """
    joined = np.moveaxis(signatures, 1, 0).reshape(signatures.shape[1], -1)
    joined = joined / np.maximum(np.linalg.norm(joined, axis=1, keepdims=True), 1.0e-12)
    alike = (joined @ joined.T >= ALIKE) & visible[:, None] & visible
    chosen: list[int] = []
    left = visible.copy()
    while left.any():
        best = int(np.argmax((alike & left).sum(axis=1)))
        chosen.append(best)
        left &= ~alike[best]
    return np.array(sorted(chosen), dtype=np.int64)
