"""What the simulated town uses: the model's demands with what a model does not know.

Other base demands, other weekly patterns from week to week, season, days that are warm or a holiday, noise of the whole
town and of each node, nodes that drift for weeks.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from bench.ltown import read_section
from bench.ltown_leaks import STEPS_A_DAY

Array = NDArray[np.float64]

WEEK = 7 * STEPS_A_DAY
BASE_ERROR = 0.10
"""Half-width of the uniform error of a node's base demand (BattLeDIM: 10 % of the parameters)."""

NODE_NOISE = 0.6
"""Coefficient of variation of a node's use in five minutes: 2 to 3 % of the whole town."""

NODE_DRIFT = 0.15
TOWN_NOISE = 0.02
DAY_NOISE = 0.03
SEASON = 0.12


class Town:
    """Demands week by week. ``base`` (nodes, categories) [m3/h], ``patterns`` (categories, steps of a week)."""

    def __init__(self, text: str, nodes: Sequence[str], seed: int) -> None:
        self.base, self.patterns = read_demands(text, nodes)
        self._chance = np.random.default_rng(seed)
        self._true = self.base * self._chance.uniform(1.0 - BASE_ERROR, 1.0 + BASE_ERROR, self.base.shape)
        self._drift = np.zeros(len(nodes))
        self._season = self._chance.uniform(0.0, 1.0)
        self._last_town = 0.0

    def draw_week(self, week: int) -> Array:
        """Return the use of every node at every step of the next week (steps, nodes) [m3/h]; weeks in their order."""
        chance = self._chance
        steps = np.arange(WEEK) + week * WEEK
        bent = self.patterns * np.exp(_smooth(chance, self.patterns.shape[0], 0.05))
        days = np.exp(np.repeat(chance.normal(0.0, DAY_NOISE, 7), STEPS_A_DAY))
        if chance.random() < 0.15:  # a holiday: one working day goes like a Sunday
            day = int(chance.integers(0, 5)) * STEPS_A_DAY
            bent[:, day : day + STEPS_A_DAY] = bent[:, -STEPS_A_DAY:]
        season = 1.0 + SEASON * np.cos(2.0 * np.pi * (steps / (365.25 * STEPS_A_DAY) - self._season))
        town = lfilter([1.0], [1.0, -0.85], chance.normal(0.0, TOWN_NOISE * np.sqrt(1 - 0.85**2), WEEK))
        expected = (self._true @ bent).T * (days * season * np.exp(town))[:, None]
        self._drift = 0.9 * self._drift + chance.normal(0.0, NODE_DRIFT * np.sqrt(1 - 0.9**2), self._drift.shape)
        shape = 1.0 / NODE_NOISE**2
        noise = chance.standard_gamma(shape, expected.shape) / shape
        return np.asarray(expected * noise * np.exp(self._drift), dtype=np.float64)


def read_demands(text: str, nodes: Sequence[str]) -> tuple[Array, Array]:
    """Return the base demands (nodes, categories) and the patterns (categories, steps) of a model, in its own units."""
    rows: dict[str, list[float]] = {}
    for name, *values in read_section(text, "PATTERNS"):
        rows.setdefault(name, []).extend(float(value) for value in values)
    names = sorted(rows)
    place = {node: k for k, node in enumerate(nodes)}
    base = np.zeros((len(nodes), len(names)))
    for node, demand, pattern, *_ in read_section(text, "DEMANDS"):
        base[place[node], names.index(pattern)] += float(demand)
    return base, np.stack([np.resize(np.array(rows[name]), WEEK) for name in names])


def _smooth(chance: np.random.Generator, count: int, size: float) -> Array:
    """Return smooth noise of standard deviation ``size`` over a week (count, steps): four points a day, joined."""
    points = chance.normal(0.0, size, (count, 29))
    where = np.linspace(0.0, 28.0, WEEK)
    return np.stack([np.interp(where, np.arange(29), row) for row in points])
