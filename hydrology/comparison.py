"""One run against another: where the water differs, what a measure saves, what floods cost a year."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from hydrology.hazard import WET_DEPTH
from layers.errors import InputError

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class DepthChange:
    """Depth of one run less that of another, ``change`` [m] (rows, cols), NaN outside either.

    ``wetted`` and ``dried`` are the cells that are flooded in only one of them.
    """

    change: NDArray[np.float32]
    wetted: Mask
    dried: Mask


def compare_depths(
    before: NDArray[np.floating], after: NDArray[np.floating], *, wet_depth: float = WET_DEPTH
) -> DepthChange:
    """Return after − before of two maximum depths [m] (rows, cols). Raise InputError for differing shapes."""
    a, b = np.asarray(before, dtype=np.float32), np.asarray(after, dtype=np.float32)
    if a.shape != b.shape:
        raise InputError(f"before has shape {a.shape} and after {b.shape}, expected one grid")
    both, bound = np.isfinite(a) & np.isfinite(b), np.float32(wet_depth)
    return DepthChange(
        np.where(both, b - a, np.float32(np.nan)), both & (a < bound) & (b >= bound), both & (a >= bound) & (b < bound)
    )


@dataclass(frozen=True, slots=True)
class FloodFigures:
    """What one flood does: flooded_area [m2], people, buildings, road_length [m], damage [money, None unknown]."""

    flooded_area: float
    people: float
    buildings: float
    road_length: float
    damage: float | None = None


@dataclass(frozen=True, slots=True)
class Benefit:
    """What a measure saves: figures without less figures with it, and the share of the former [1].

    A negative number is a loss. A share is None where there was nothing to save; so are both of a damage not known.
    """

    saved: FloodFigures
    share: dict[str, float | None]


def compute_benefit(without: FloodFigures, with_measure: FloodFigures) -> Benefit:
    """Return what a measure saves in one event."""
    damage = None
    if without.damage is not None and with_measure.damage is not None:
        damage = without.damage - with_measure.damage
    saved = FloodFigures(
        without.flooded_area - with_measure.flooded_area,
        without.people - with_measure.people,
        without.buildings - with_measure.buildings,
        without.road_length - with_measure.road_length,
        damage,
    )
    share: dict[str, float | None] = {}
    for name in (entry.name for entry in fields(FloodFigures)):
        less, whole = getattr(saved, name), getattr(without, name)
        share[name] = less / whole if less is not None and whole else None
    return Benefit(saved, share)


def compute_annual_damage(
    return_periods: Sequence[float], damages: Sequence[float], *, damage_from: float | None = None
) -> float:
    """Return the expected annual damage [money/a] of floods once in ``return_periods`` [a] that do ``damages`` [money].

    The area under damage over yearly probability 1/T by trapezoids; a flood rarer than the rarest does the same as
    that. ``damage_from`` [a] is the return period up to which nothing is lost, as behind a dyke; without it, floods
    more frequent than the first are left out, which is too little (Messner et al. 2007, FLOODsite T09-06-01; Ward, De
    Moel and Aerts 2011, doi:10.5194/nhess-11-3181-2011). Raise InputError for fewer than two events, periods below 1 or
    twice, a damage below 0, or ``damage_from`` beyond the first event.
    """
    periods, losses = np.asarray(return_periods, dtype=np.float64), np.asarray(damages, dtype=np.float64)
    if periods.ndim != 1 or periods.shape != losses.shape or periods.size < 2:
        raise InputError(f"there are {periods.size} return periods and {losses.size} damages, expected a pair an event")
    if not (np.isfinite(periods) & (periods >= 1.0)).all() or np.unique(periods).size != periods.size:
        raise InputError(f"return periods are {periods.tolist()} years, expected different numbers from 1 on")
    if not (np.isfinite(losses) & (losses >= 0.0)).all():
        raise InputError(f"damages are {losses.tolist()}, expected numbers not below 0")
    order = np.argsort(periods)
    periods, losses = periods[order], losses[order]
    if damage_from is not None:
        if not 1.0 <= damage_from <= periods[0]:
            raise InputError(f"damage_from is {damage_from} years, expected from 1 to {periods[0]:g}, the first event")
        periods, losses = np.append(damage_from, periods), np.append(0.0, losses)
    chance = 1.0 / periods
    return float(np.sum((losses[1:] + losses[:-1]) / 2.0 * (chance[:-1] - chance[1:])) + losses[-1] * chance[-1])


@dataclass(frozen=True, slots=True)
class Case:
    """One run of a study: an event under a climate with a measure, and what it does.

    ``return_period`` [a] of the event under that climate, None where it has none, as a flood of the past.
    """

    event: str
    climate: str
    measure: str
    figures: FloodFigures
    return_period: float | None = None


@dataclass(frozen=True, slots=True)
class CaseBenefit:
    """A case beside the one without a measure."""

    case: Case
    benefit: Benefit


@dataclass(frozen=True, slots=True)
class AnnualDamage:
    """Expected annual damage [money/a] of a measure under a climate, and what it saves against none."""

    climate: str
    measure: str
    damage: float
    saved: float


def tabulate_benefits(cases: Iterable[Case], base_measure: str) -> list[CaseBenefit]:
    """Return every case beside that of ``base_measure`` in the same event and climate, in the order given.

    Raise InputError for a case given twice or one without its base.
    """
    given = _index(cases)
    rows = []
    for (event, climate, measure), case in given.items():
        base = given.get((event, climate, base_measure))
        if base is None:
            raise InputError(
                f"event '{event}' under climate '{climate}' has measure '{measure}' but not '{base_measure}'",
                hint="run the event without a measure too",
            )
        rows.append(CaseBenefit(case, compute_benefit(base.figures, case.figures)))
    return rows


def tabulate_annual_damage(
    cases: Iterable[Case], base_measure: str, *, damage_from: float | None = None
) -> list[AnnualDamage]:
    """Return the expected annual damage of each climate and measure over the events with a return period and damage.

    Raise InputError where a measure has other return periods than ``base_measure``: sums over different events do not
    compare.
    """
    groups: dict[tuple[str, str], dict[float, float]] = {}
    for case in _index(cases).values():
        if case.return_period is not None and case.figures.damage is not None:
            groups.setdefault((case.climate, case.measure), {})[case.return_period] = case.figures.damage
    rows = []
    for (climate, measure), losses in groups.items():
        base = groups.get((climate, base_measure), {})
        if set(base) != set(losses):
            raise InputError(
                f"measure '{measure}' under climate '{climate}' has return periods {sorted(losses)} and "
                f"'{base_measure}' {sorted(base)}, expected the same"
            )
        own, usual = (
            compute_annual_damage(list(found), list(found.values()), damage_from=damage_from)
            for found in (losses, base)
        )
        rows.append(AnnualDamage(climate, measure, own, usual - own))
    return rows


def _index(cases: Iterable[Case]) -> dict[tuple[str, str, str], Case]:
    found: dict[tuple[str, str, str], Case] = {}
    for case in cases:
        key = (case.event, case.climate, case.measure)
        if key in found:
            raise InputError(f"event '{key[0]}', climate '{key[1]}', measure '{key[2]}' is given twice, expected once")
        found[key] = case
    return found
