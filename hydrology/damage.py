"""What a depth of water costs: depth-damage curves of the JRC, curves and values of the city's own, damage by area.

A curve gives the share of an asset's value that is lost at a depth, as a mean over a class in a continent. Single
assets stray widely (homes in Asia at 0.5 m: mean 0.33, standard deviation 0.25), so results are read as sums over many.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DamageCurve:
    """Damage factors [1] at depths [m], linear between them; ``source`` says where they come from.

    Raise InputError unless there are two or more ascending depths from 0 on, each with a factor between 0 and 1 that
    is never below the one before it.
    """

    depths: tuple[float, ...]
    factors: tuple[float, ...]
    source: str

    def __post_init__(self) -> None:
        if len(self.depths) != len(self.factors) or len(self.depths) < 2:
            raise InputError(
                f"a damage curve has {len(self.depths)} depths and {len(self.factors)} factors, expected as many of "
                "each and two or more"
            )
        depths, factors = np.array(self.depths), np.array(self.factors)
        if not (np.isfinite(depths).all() and depths[0] >= 0.0 and (np.diff(depths) > 0.0).all()):
            raise InputError(f"depths of a damage curve are {self.depths}, expected metres ascending from 0 on")
        if not (((factors >= 0.0) & (factors <= 1.0)).all() and (np.diff(factors) >= 0.0).all()):
            raise InputError(
                f"factors of a damage curve are {self.factors}, expected shares from 0 to 1 that never fall",
                hint="write 25 % as 0.25",
            )


JRC = "Huizinga, De Moel and Szewczyk 2017, doi:10.2760/16510, Asia"
JRC_DEPTHS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0)
_ASIA = {
    "residential": (0.0, 0.327, 0.494, 0.617, 0.721, 0.870, 0.931, 0.984, 1.0),
    "commercial": (0.0, 0.377, 0.538, 0.659, 0.763, 0.883, 0.942, 0.981, 1.0),
    "industrial": (0.0, 0.283, 0.482, 0.629, 0.717, 0.857, 0.909, 0.955, 1.0),
    "transport": (0.0, 0.358, 0.572, 0.733, 0.847, 1.0, 1.0, 1.0, 1.0),
    "roads": (0.0, 0.214, 0.373, 0.604, 0.710, 0.808, 0.887, 0.969, 1.0),
    "agriculture": (0.0, 0.135, 0.370, 0.524, 0.558, 0.660, 0.834, 0.988, 1.0),
}
DAMAGE_CURVES: Mapping[str, DamageCurve] = MappingProxyType(
    {name: DamageCurve(JRC_DEPTHS, factors, JRC) for name, factors in _ASIA.items()}
)
"""Curves by damage class: homes; shops, offices, schools and hospitals; works and stores; stations, harbours and other
transport facilities; roads and rails; crops. The workbook of the report, rounded to three digits."""


@dataclass(frozen=True, slots=True)
class DamageTable:
    """Curves by damage class, and what a square metre of a class is worth where that is known [money of the city/m2].

    The value is the largest damage a flood can do: for a building, of its ground floor with contents.
    """

    curves: Mapping[str, DamageCurve] = field(default_factory=lambda: DAMAGE_CURVES)
    values: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


def read_damage_table(given: Mapping[str, Mapping[str, Any]]) -> DamageTable:
    """Return the table of a city: class → ``value_per_m2``, or ``depths`` with ``factors`` and ``source``, or both.

    A class that is not given keeps its curve of DAMAGE_CURVES and has no value. Raise InputError for an unknown word, a
    new class without a curve, or a value that is no positive number.
    """
    curves, values = dict(DAMAGE_CURVES), {}
    words = {"value_per_m2", "depths", "factors", "source"}
    for name, entry in given.items():
        unknown = sorted(set(entry) - words)
        if unknown:
            raise InputError(f"damage class '{name}' has '{unknown[0]}', expected one of {sorted(words)}")
        if "depths" in entry or "factors" in entry:
            curves[name] = _read_curve(name, entry)
        if name not in curves:
            raise InputError(
                f"damage class '{name}' has no curve, expected one of {sorted(curves)}",
                hint="give depths, factors and source with a class of your own",
            )
        if "value_per_m2" in entry:
            values[name] = _read_value(name, entry["value_per_m2"])
    return DamageTable(MappingProxyType(curves), MappingProxyType(values))


def compute_damage_factor(depth: NDArray[np.floating], curve: DamageCurve) -> Floats:
    """Return the share of the value lost [1] at depth [m], any shape; the last factor below the last depth, NaN at NaN.

    The depth is that above the ground floor of a building, above the surface of a road or field. Dry is no damage.
    """
    d = np.asarray(depth, dtype=np.float64)
    factor = np.where(d > 0.0, np.interp(d, curve.depths, curve.factors), 0.0)
    return np.where(np.isnan(d), np.nan, factor)


def compute_damage(
    depth: NDArray[np.floating], curve: DamageCurve, value_per_m2: float, area: NDArray[np.floating] | float
) -> Floats:
    """Return the damage [money] = factor × value [money/m2] × area [m2]; ``area`` fits the shape of depth [m].

    Raise InputError for a negative area or value.
    """
    if not value_per_m2 >= 0.0 or bool((np.asarray(area) < 0.0).any()):
        raise InputError(
            f"value is {value_per_m2} per m2 and the smallest area {np.min(area)} m2, expected none below 0"
        )
    return np.asarray(compute_damage_factor(depth, curve) * value_per_m2 * area, dtype=np.float64)


_COSTS = {
    "residential": (24.078, 0.3852, 0.5),
    "commercial": (33.642, 0.3574, 1.0),
    "industrial": (30.824, 0.3249, 1.5),
}
_DEPRECIATION, _UNDAMAGED = 0.6, 0.4


def estimate_building_value(damage_class: str, gdp_per_capita: float) -> float:
    """Return the largest damage to a building with its contents [EUR of 2010/m2] from GDP per head [USD of 2010].

    construction cost = a GDP^b; depreciated to 60 %, of which 40 % cannot be damaged; contents 50, 100 or 150 % of the
    structure for homes, commerce, industry (Huizinga et al. 2017). A first guess for a city's table,
    to be brought to its currency and year: Viet Nam in 2010 had 1,334 USD. Raise InputError for another class.
    """
    if damage_class not in _COSTS:
        raise InputError(f"damage class is '{damage_class}', expected one of {sorted(_COSTS)}")
    if not gdp_per_capita > 0.0:
        raise InputError(f"GDP per head is {gdp_per_capita} USD, expected a positive number")
    scale, power, contents = _COSTS[damage_class]
    return float(scale * gdp_per_capita**power * _DEPRECIATION * (1.0 - _UNDAMAGED) * (1.0 + contents))


def _read_curve(name: str, entry: Mapping[str, Any]) -> DamageCurve:
    if not {"depths", "factors", "source"} <= set(entry):
        raise InputError(f"damage class '{name}' gives {sorted(entry)}, expected depths, factors and source together")
    try:
        depths, factors = (tuple(float(number) for number in entry[key]) for key in ("depths", "factors"))
    except (TypeError, ValueError) as error:
        raise InputError(f"the curve of damage class '{name}' is no list of numbers: {error}") from error
    try:
        return DamageCurve(depths, factors, str(entry["source"]))
    except InputError as error:
        raise InputError(f"damage class '{name}': {error}") from error


def _read_value(name: str, given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0.0 < given < np.inf:
        raise InputError(
            f"value_per_m2 of damage class '{name}' is {given!r}, expected a positive number of money per m2"
        )
    return float(given)
