"""Where a leak is: the probability of each pipe, from the mean white residual at each class of load.

Each pipe's signature is fitted with the size that suits it best; what is left is judged against the noise of the mean,
a slow error of the model and an error in proportion to the leak itself, since the signatures come from a model whose
roughness and demands are not those of the town. Without the last, a big leak would name one pipe and be sure of it.
The first guess is that a pipe leaks in proportion to its length. Soldevila et al. 2017,
doi:10.1016/j.jprocont.2017.03.015 (Bayes over candidates).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

SLOW_ERROR = 0.08
"""Standard deviation of a mean of white residuals that more steps do not make smaller."""

SIGNATURE_ERROR = 0.15
"""Of a signature, as a share of its length."""

USUAL_SIZE = 20.0 / 3600.0
"""Standard deviation of sizes before anything is seen [m3/s]: keeps what cannot be seen small."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What was seen: ``sums`` (classes, channels) of white residuals, ``counts`` (classes,) of steps.

    ``known`` (classes,) is the length that the error of what was taken off before may have, white.
    """

    sums: Array
    counts: Array
    known: Array

    def score(self, expected: Array) -> Array:
        """Return the log-likelihood of each hypothesis, expected (classes, hypotheses, channels) in the mean."""
        counts = np.maximum(self.counts, 1.0e-12)[:, None]
        energy = np.einsum("chk,chk->ch", expected, expected)
        match = np.einsum("ck,chk->ch", self.sums, expected)
        squares = (self.sums**2).sum(axis=1)[:, None] / counts - 2.0 * match + counts * energy
        channels = self.sums.shape[1]
        error = SLOW_ERROR**2 + (SIGNATURE_ERROR**2 * energy + self.known[:, None] ** 2) / channels
        spread = 1.0 + counts * error
        seen = self.counts[:, None] > 0.0
        return np.asarray(np.where(seen, -0.5 * (squares / spread + channels * np.log(spread)), 0.0).sum(axis=0))

    def fit(self, directions: Array, usual: float) -> Array:
        """Return the factor (hypotheses,) of directions (classes, hypotheses, channels) that explains most.

        ``usual`` is the standard deviation that factors have.
        """
        counts = self.counts[:, None]
        weight = 1.0 / (
            1.0 + counts * SLOW_ERROR**2
        )  # long seen or not, a class tells no more than its slow error lets
        energy = np.einsum("chk,chk->ch", directions, directions)
        match = np.einsum("ck,chk->ch", self.sums, directions)
        return np.asarray((weight * match).sum(axis=0) / ((weight * counts * energy).sum(axis=0) + usual**-2))


@dataclass(frozen=True, slots=True, eq=False)
class Location:
    """The probability (pipes,) that the leak is in a pipe, and its size there [m3/s] (pipes,).

    ``score`` is the log-likelihood that there is a leak at all, over all pipes.
    """

    probability: Array
    sizes: Array
    score: float


def gather_evidence(white: Array, classes: Indices, known: Array) -> Evidence:
    """Return the sums over steps of white residuals (steps, channels) by class of load, known (classes,) as above."""
    sums = np.zeros((known.size, white.shape[1]))
    np.add.at(sums, classes, white)
    return Evidence(sums, np.bincount(classes, minlength=known.size).astype(np.float64), known)


def locate_leak(evidence: Evidence, signatures: Array, prior: Array) -> Location:
    """Return where a leak is; white signatures (classes, pipes, channels) per m3/s, prior (pipes,) any weights."""
    sizes = np.maximum(evidence.fit(signatures, USUAL_SIZE), 0.0)
    with np.errstate(divide="ignore"):
        weight = np.where(sizes > 0.0, np.log(prior / prior.sum()), -np.inf)
    score = evidence.score(signatures * sizes[None, :, None]) + weight
    if not np.isfinite(score).any():
        return Location(prior / prior.sum(), sizes, -np.inf)
    top = float(score.max())
    likelihood = np.exp(score - top)
    total = float(likelihood.sum())
    return Location(likelihood / total, sizes, top + float(np.log(total)))
