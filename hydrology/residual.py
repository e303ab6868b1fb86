"""What is left after the tide, hours ahead: regressions on its past, chosen and measured on parts left out.

For each lead a regression of its own (direct), or one of the next step applied again and again (iterated); which, and
on how long a past, is decided by the errors on blocks of the record that were left out of the fit. All of it works on
the normal equations of the blocks, so that a choice costs no second look at the record. Quantiles are those of the
left-out errors, each divided by the size of error that its state makes likely.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydrology.predictors import HOUR, STATES, Layout, Moment, build_design, build_states, make_layout
from layers.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVELS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
"""Probabilities of the quantiles that every forecast has."""

_RIDGE = 1.0e-6
_FEWEST_ROWS, _FEWEST_EVENTS = 300, 20
_ORDERS = (0.0, 1.0, 3.0, 6.0, 12.0, 25.0, 48.0)
_CHOSEN_BY = (1.0, 3.0, 6.0, 12.0, 24.0)
_TRIED = np.arange(0.50, 0.96, 0.05)


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """A record on an even grid: residual [m] (n,), NaN where unknown; tide [m] and its rate, scaled, to the end of
    all leads (n + reach,)."""

    residual: Floats
    tide: Floats
    rate: Floats
    start: float
    step: float


@dataclass(frozen=True, slots=True, eq=False)
class ResidualModel:
    """Regressions for each lead.

    leads [s] (k,); method: "direct" or "iterated"; columns: places of the predictors used; weights (k, width). grams,
    moments: the normal equations (k, width, width), (k, width), for issue times at which some predictor is unknown.
    variance [m2] (k,): of the left-out errors. spread (k, STATES): logarithm of an error's size by state; scaled
    (k, levels): quantiles of the errors over their size. warning (k,): the same for the quantile to warn from, whose
    probability is warning_level (k,). climate: quantiles of the residual itself [m] (levels,).
    """

    layout: Layout
    leads: Floats
    method: str
    order: float
    columns: Ints
    weights: Floats
    grams: Floats
    moments: Floats
    variance: Floats
    spread: Floats
    spread_limits: Floats
    scaled: Floats
    warning: Floats
    warning_level: Floats
    climate: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """Normal equations of each lead and block: (k, blocks, width, width), (k, blocks, width), (k, blocks) twice."""

    grams: Floats
    moments: Floats
    squares: Floats
    counts: Floats


def list_leads(step: float, horizon: float) -> Floats:
    """Return the leads [s] that have a regression: every step of an hour, hourly for a day, then every two hours."""
    hours = np.concatenate([np.arange(2.0, 25.0), np.arange(26.0, 73.0, 2.0)])
    fine = np.append(np.arange(step, HOUR + 1.0, step), [] if step >= HOUR else [1.5 * HOUR])
    leads = np.unique(np.append(fine, hours * HOUR))
    reach = int(np.searchsorted(leads, horizon - 1.0))
    return np.asarray(leads[: min(max(reach + 1, 1), leads.size)], dtype=np.float64)


def fit_residual(
    past: Past, leads: Floats, high: Floats, *, blocks: int, most_rows: int, detection: float
) -> ResidualModel:
    """Fit, choose and measure the regressions of ``leads`` [s].

    high (n + reach,): how far the stage at each time is above the level that counts as high [m], NaN unknown. Raise
    InputError where the record has too few unbroken pieces.
    """
    layout, rows = _choose_rows(past, most_rows)
    block = np.minimum(np.arange(rows.size) * blocks // max(rows.size, 1), blocks - 1)
    sums = _sum_blocks(past, layout, rows, block, leads, blocks)
    grams, moments = sums.grams.sum(axis=1), sums.moments.sum(axis=1)
    columns, order, method = _choose(layout, sums, leads)
    weights = np.stack([_solve(layout, grams, moments, columns, method, leads, k) for k in range(leads.size)])
    without = np.stack(
        [
            [
                _solve(layout, grams - sums.grams[:, b], moments - sums.moments[:, b], columns, method, leads, k)
                for b in range(blocks)
            ]
            for k in range(leads.size)
        ]
    )
    known = past.residual[np.isfinite(past.residual)]
    spread, limits = np.zeros((leads.size, STATES)), np.zeros((leads.size, 2))
    scaled, warning = np.zeros((leads.size, len(LEVELS))), np.zeros(leads.size)
    warning_level, variance = np.full(leads.size, 0.75), np.zeros(leads.size)
    for k, lead in enumerate(leads):
        design, states, target, ahead = _look(past, layout, rows, lead)
        expected = np.einsum("ij,ij->i", design, without[k][block])
        error = target - expected
        used = np.isfinite(error)
        variance[k] = float(np.mean(error[used] ** 2))
        spread[k], limits[k] = _fit_spread(states[used], error[used])
        size = measure_size(spread[k], limits[k], states[used])
        ratio = error[used] / size
        scaled[k] = np.quantile(ratio, LEVELS)
        margin = high[ahead[used]]
        warning_level[k] = _choose_warning(margin - error[used], size, ratio, margin >= 0.0, detection)
        warning[k] = np.quantile(ratio, warning_level[k])
    return ResidualModel(
        layout, leads, method, order, columns, weights, grams, moments, variance, spread, limits, scaled, warning,
        warning_level, np.quantile(known, LEVELS),
    )  # fmt: skip


def measure_size(spread: Floats, limits: Floats, states: Floats) -> Floats:
    """Return the likely size of the error [m] (n,) in each state."""
    return np.exp(np.clip(states @ spread, limits[0], limits[1]))


def solve_with(model: ResidualModel, lead: int, known: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Return the weights of a lead with only the ``known`` predictors, and how much larger errors are then [1]."""
    columns = model.columns[known[model.columns]]
    weights = _solve_direct(model.grams[lead], model.moments[lead], columns)
    full = float(model.weights[lead] @ model.moments[lead])
    total = model.variance[lead] * model.grams[lead][model.layout.ages.size, model.layout.ages.size]
    lost = max(full - float(weights @ model.moments[lead]), 0.0)
    return weights, float(np.sqrt(1.0 + lost / max(total, 1.0e-12)))


def _choose_rows(past: Past, most_rows: int) -> tuple[Layout, Ints]:
    """Return the longest layout for which enough issue times have a whole past, and those times."""
    known = np.isfinite(past.residual)
    for oldest in (48.0, 25.0, 6.0, 1.0, 0.0):
        layout = make_layout(past.step, oldest * HOUR)
        whole = known.copy()
        for age in np.round(layout.ages / past.step).astype(np.int64):
            whole[age:] &= known[: known.size - age]
            whole[:age] = False
        rows = np.flatnonzero(whole)
        if rows.size >= max(0.4 * known.sum(), _FEWEST_ROWS):
            stride = -(-rows.size // most_rows)
            return layout, rows[::stride]
    raise InputError(
        f"record has {int(known.sum())} residuals, {rows.size} of them usable, expected at least {_FEWEST_ROWS}",
        hint="load a longer record",
    )


def _look(past: Past, layout: Layout, rows: Ints, lead: float) -> tuple[Floats, Floats, Floats, Ints]:
    """Return predictors, states and the residual that came for ``lead`` [s], and where it is; NaN beyond the record."""
    ages = np.round(layout.ages / past.step).astype(np.int64)
    ahead = rows + round(lead / past.step)
    inside = ahead < past.residual.size
    target = np.where(inside, past.residual[np.minimum(ahead, past.residual.size - 1)], np.nan)
    lags = past.residual[rows[:, None] - ages]
    origin = rows[:, None] - ages[layout.acting]
    own, met = Moment(past.tide[origin], past.rate[origin]), Moment(past.tide[ahead], past.rate[ahead])
    return build_design(layout, lags, own, met), build_states(layout, lags, met), target, ahead


def _sum_blocks(past: Past, layout: Layout, rows: Ints, block: Ints, leads: Floats, blocks: int) -> _Blocks:
    width = layout.width
    grams, moments = np.zeros((leads.size, blocks, width, width)), np.zeros((leads.size, blocks, width))
    squares, counts = np.zeros((leads.size, blocks)), np.zeros((leads.size, blocks))
    for k, lead in enumerate(leads):
        design, _, target, _ = _look(past, layout, rows, lead)
        known = np.isfinite(target)
        design[~known], target[~known] = 0.0, 0.0
        for b in range(blocks):
            # Blocks lie one after the other: slices, no copies.
            part = slice(*np.searchsorted(block, (b, b + 1)))
            x, y = design[part], target[part]
            grams[k, b], moments[k, b], squares[k, b], counts[k, b] = x.T @ x, x.T @ y, y @ y, known[part].sum()
    return _Blocks(grams, moments, squares, counts)


def _choose(layout: Layout, sums: _Blocks, leads: Floats) -> tuple[Ints, float, str]:
    """Return columns, the oldest residual [h] and the method with the least errors on left-out blocks."""
    looked = sorted(
        {int(np.argmin(np.abs(leads - hours * HOUR))) for hours in _CHOSEN_BY if hours * HOUR <= leads[-1] + 1.0}
    )
    looked = looked or [leads.size - 1]
    oldest = float(layout.ages[-1])
    tried: list[tuple[Ints, float, str]] = []
    for hours in _ORDERS:
        if hours > 0.0 and (hours - 12.0) * HOUR > oldest:
            continue
        tried += [
            (layout.choose(hours * HOUR, tide=tide), min(hours, oldest / HOUR), "direct") for tide in (False, True)
        ]
        tried.append((layout.choose(min(hours * HOUR, _find_unbroken(layout)), tide=False), hours, "iterated"))
    errors = np.array(
        [[_measure_left_out(layout, sums, leads, k, columns, how) for k in looked] for columns, _, how in tried]
    )
    return tried[int(np.argmin((errors / errors.min(axis=0)).mean(axis=1)))]


def _find_unbroken(layout: Layout) -> float:
    """Return the oldest age [s] up to which no step is left out: how far an iterated regression may look back."""
    even = np.flatnonzero(np.diff(layout.ages) > 1.5 * layout.step)
    return float(layout.ages[-1] if even.size == 0 else layout.ages[even[0]])


def _measure_left_out(layout: Layout, sums: _Blocks, leads: Floats, lead: int, columns: Ints, method: str) -> float:
    """Return the root mean square error [m] of a lead over the blocks, each predicted without itself."""
    error, count = 0.0, 0.0
    for b in range(sums.counts.shape[1]):
        grams, moments = sums.grams.sum(axis=1) - sums.grams[:, b], sums.moments.sum(axis=1) - sums.moments[:, b]
        weights = _solve(layout, grams, moments, columns, method, leads, lead)
        error += sums.squares[lead, b] - 2.0 * weights @ sums.moments[lead, b] + weights @ sums.grams[lead, b] @ weights
        count += sums.counts[lead, b]
    return float(np.sqrt(max(error, 0.0) / max(count, 1.0)))


def _solve(
    layout: Layout, grams: Floats, moments: Floats, columns: Ints, method: str, leads: Floats, lead: int
) -> Floats:
    if method == "direct":
        return _solve_direct(grams[lead], moments[lead], columns)
    one = _solve_direct(grams[0], moments[0], columns)
    return _iterate(one, layout.ages.size, columns.size - 1, round(leads[lead] / layout.step))


def _solve_direct(gram: Floats, moment: Floats, columns: Ints) -> Floats:
    """Return the weights (width,) of the chosen columns; a little ridge keeps near-equal ones from large weights."""
    part = gram[np.ix_(columns, columns)]
    weights = np.zeros(moment.size)
    weights[columns] = np.linalg.solve(part + np.diag(_RIDGE * np.diag(part) + 1.0e-12), moment[columns])
    return weights


def _iterate(one: Floats, constant: int, order: int, steps: int) -> Floats:
    """Return the weights that ``steps`` applications of the one-step weights amount to."""
    first, drift = one[:order], one[constant]
    total, offset = first.copy(), drift
    for _ in range(steps - 1):
        lead = total[0]
        offset += lead * drift
        total = lead * first + np.append(total[1:], 0.0)
    weights = np.zeros_like(one)
    weights[:order], weights[constant] = total, offset
    return weights


def _fit_spread(states: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Return how the logarithm of an error's size depends on the state, and the range it is held to."""
    target = np.log(np.abs(error) + 0.01 * float(np.std(error)) + 1.0e-6)
    gram = states.T @ states
    ridge = np.diag(1.0e-3 * np.diag(gram) + 1.0e-9)
    found = np.asarray(np.linalg.solve(gram + ridge, states.T @ target), dtype=np.float64)
    low, high = np.quantile(states @ found, (0.005, 0.995))
    return found, np.array([low, high + 0.3])


def _choose_warning(margin: Floats, size: Floats, ratio: Floats, high: NDArray[np.bool_], detection: float) -> float:
    """Return the lowest probability whose quantile would have told the wanted share of high stages.

    margin [m] (n,): of the expected stage over the level. Where the record has too few high stages to tell, 0.75.
    """
    if high.sum() < _FEWEST_EVENTS:
        return 0.75
    for probability in _TRIED:
        told = margin[high] + size[high] * np.quantile(ratio, probability) >= 0.0
        if told.mean() >= detection:
            return float(probability)
    return float(_TRIED[-1])
