"""What the ground takes: Green–Ampt, curve number, initial and constant loss, each with a share of sealed ground.

Every ``step`` takes what lies on the cells and the cumulative infiltration of their open ground, adds to the latter
in place and returns what left the surface, never more than there was. Depths [m], arrays of one shape.
"""

from dataclasses import dataclass
from math import log1p, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop
from layers.errors import InputError

Field = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GreenAmpt:
    """A sharp wetting front in uniform soil (Green and Ampt 1911, doi:10.1017/S0021859600001441).

    conductivity K [m/s], suction ψ at the front [m], deficit Δθ: water the soil can still take [1], storage: depth of
    water that fills the soil down to the groundwater [m], impervious: sealed share of the cell [1]; same shape.
    """

    conductivity: Field
    suction: Field
    deficit: Field
    storage: Field
    impervious: Field

    def __post_init__(self) -> None:
        _check_fields(
            self, {"conductivity": 1.0, "suction": 10.0, "deficit": 1.0, "storage": np.inf, "impervious": 1.0}
        )


@dataclass(frozen=True, slots=True, eq=False)
class CurveNumber:
    """Runoff (P - Ia)² / (P - Ia + S) of the rain P so far (NRCS National Engineering Handbook 630, chapter 10).

    retention S [m] (``compute_retention``), abstraction: Ia / S [1], usually 0.2, impervious: sealed share [1]; same
    shape. Made for whole storms; standing water infiltrates no more than it did as rain.
    """

    retention: Field
    abstraction: Field
    impervious: Field

    def __post_init__(self) -> None:
        _check_fields(self, {"retention": 100.0, "abstraction": 1.0, "impervious": 1.0})


@dataclass(frozen=True, slots=True, eq=False)
class InitialConstant:
    """The first ``initial`` [m] of water stays, then ``rate`` [m/s]; impervious: sealed share [1]; same shape.

    HEC-HMS Technical Reference Manual, initial and constant loss; here standing water feeds it as well as rain.
    """

    initial: Field
    rate: Field
    impervious: Field

    def __post_init__(self) -> None:
        _check_fields(self, {"initial": 10.0, "rate": 1.0, "impervious": 1.0})


Losses = GreenAmpt | CurveNumber | InitialConstant


def _check_fields(losses: object, limits: dict[str, float]) -> None:
    values = [np.asarray(getattr(losses, name), dtype=np.float64) for name in limits]
    try:
        spread = np.broadcast_arrays(*values)
    except ValueError as error:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in zip(limits, values, strict=True))
        raise InputError(f"infiltration parameters differ in shape: {shapes}") from error
    for (name, limit), value in zip(limits.items(), spread, strict=True):
        wrong = ~((value >= 0.0) & (value <= limit))
        if wrong.any():
            found = value[wrong].flat[0]
            raise InputError(f"infiltration parameter {name} is {found:g}, expected 0 to {limit:g}")
        object.__setattr__(losses, name, np.array(value))


def compute_retention(curve_number: Field | float) -> Field:
    """Return the potential retention S [m] of a curve number; InputError outside 1 to 100."""
    number = np.asarray(curve_number, dtype=np.float64)
    wrong = ~((number >= 1.0) & (number <= 100.0))
    if wrong.any():
        raise InputError(f"curve number is {number[wrong].flat[0]:g}, expected 1 to 100")
    return np.asarray(0.0254 * (1000.0 / number - 10.0))


def step(rain: Field, ponded: Field, dt: float, cumulative: Field, losses: Losses) -> Field:
    """Return the water that leaves the surface of each cell in ``dt`` [s], as depth over the whole cell [m].

    rain: fallen in the step [m]; ponded: on the cell at its start [m]. cumulative: infiltrated so far per area of open
    ground [m], changed in place. Raise InputError for shapes that differ and for a step that is not positive.
    """
    shape = losses.impervious.shape
    for name, field in (("rain", rain), ("ponded", ponded), ("cumulative", cumulative)):
        if field.shape != shape:
            raise InputError(f"infiltration got {name} of shape {field.shape}, expected {shape}")
    if not dt > 0.0:
        raise InputError(f"infiltration step is {dt:g} s, expected above 0")
    match losses:
        case GreenAmpt():
            taken = _step_green_ampt(rain, ponded, dt, cumulative, losses)
        case CurveNumber():
            taken = _step_curve_number(rain, cumulative, losses)
        case InitialConstant():
            taken = _step_initial_constant(rain + ponded, dt, cumulative, losses)
    cumulative += taken
    return np.asarray((1.0 - losses.impervious) * taken)


def _step_green_ampt(rain: Field, ponded: Field, dt: float, cumulative: Field, soil: GreenAmpt) -> Field:
    taken = np.empty(rain.shape)
    _infiltrate(
        rain.ravel(),
        ponded.ravel(),
        cumulative.ravel(),
        soil.conductivity.ravel(),
        soil.suction.ravel(),
        soil.deficit.ravel(),
        soil.storage.ravel(),
        dt,
        taken.ravel(),
    )
    return taken


def _step_curve_number(rain: Field, cumulative: Field, number: CurveNumber) -> Field:
    first = number.abstraction * number.retention
    # The rain P so far follows from what it left in the ground: F - Ia = S p / (p + S) with p = P - Ia.
    left = np.maximum(number.retention - np.maximum(cumulative - first, 0.0), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = np.where(left > 0.0, np.maximum(cumulative - first, 0.0) * number.retention / left, np.inf)
        fallen = np.minimum(cumulative, first) + beyond + rain
        p = np.maximum(fallen - first, 0.0)
        kept = np.where(np.isfinite(p), number.retention * p / (p + number.retention), number.retention)
    # Neither soil nor rain: nothing can be kept (0 / 0 above).
    kept = np.where(number.retention > 0.0, kept, 0.0)
    return np.clip(np.minimum(fallen, first) + kept - cumulative, 0.0, rain)


def _step_initial_constant(supply: Field, dt: float, cumulative: Field, loss: InitialConstant) -> Field:
    first = np.minimum(supply, np.maximum(loss.initial - cumulative, 0.0))
    # The water comes evenly over the step, so the constant loss has the share of it that the first loss leaves.
    share = 1.0 - np.divide(first, supply, out=np.ones_like(supply), where=supply > 0.0)
    return np.minimum(supply, first + loss.rate * dt * share)


@compile_loop
def _infiltrate(
    rain: Field,
    ponded: Field,
    cumulative: Field,
    conductivity: Field,
    suction: Field,
    deficit: Field,
    storage: Field,
    dt: float,
    out: Field,
) -> None:
    """Write the infiltration of n cells [m]: all there is until the surface ponds, then the soil's capacity.

    Ponding within the step after Mein and Larson 1973, doi:10.1029/WR009i002p00384: at F = K ψ Δθ / (i - K).
    """
    for k in range(out.size):
        before, rate = cumulative[k], conductivity[k]
        supply = min(rain[k] + ponded[k], max(storage[k] - before, 0.0))
        if supply <= 0.0:
            out[k] = 0.0
            continue
        pull = (suction[k] + ponded[k]) * deficit[k]
        dry, left = 0.0, dt
        if ponded[k] <= 0.0:
            intensity = rain[k] / dt
            if intensity <= rate:
                out[k] = supply
                continue
            dry = max(rate * pull / (intensity - rate) - before, 0.0)
            if dry >= supply:
                out[k] = supply
                continue
            left = dt - dry / intensity
        out[k] = dry + _soak(before + dry, rate * left, pull, supply - dry)


@compile_loop
def _soak(before: float, gravity: float, pull: float, most: float) -> float:
    """Return x <= most with x - S ln(1 + x / (F + S)) = K t: the infiltration of ponded ground [m].

    before: F [m]. gravity: K t [m]. pull: S = (ψ + h) Δθ [m]. Newton's method on a convex function, begun at the root
    of its second-order expansion, which lies below: the first step passes the root, the others come down to it.
    """
    if pull <= 0.0 or gravity <= 0.0:
        return min(most, gravity)
    front = before + pull
    bend, slope = pull / (2.0 * front * front), before / front
    x = 2.0 * gravity / (slope + sqrt(slope * slope + 4.0 * bend * gravity))
    for _ in range(60):
        if x >= most and most - pull * log1p(most / front) <= gravity:
            return most
        excess = x - pull * log1p(x / front) - gravity
        if abs(excess) <= 1.0e-9 * gravity:
            break
        x -= excess * (front + x) / (before + x)
    return min(x, most)


class Soil(NamedTuple):
    """Green–Ampt parameters of a texture: conductivity [m/s], suction [m], effective porosity [1]."""

    conductivity: float
    suction: float
    porosity: float


def _soil(porosity: float, suction_cm: float, conductivity_cm_h: float) -> Soil:
    return Soil(conductivity_cm_h / 3.6e5, suction_cm / 100.0, porosity)


SOILS: dict[str, Soil] = {
    "sand": _soil(0.417, 4.95, 11.78),
    "loamy_sand": _soil(0.401, 6.13, 2.99),
    "sandy_loam": _soil(0.412, 11.01, 1.09),
    "loam": _soil(0.434, 8.89, 0.34),
    "silt_loam": _soil(0.486, 16.68, 0.65),
    "sandy_clay_loam": _soil(0.330, 21.85, 0.15),
    "clay_loam": _soil(0.390, 20.88, 0.10),
    "silty_clay_loam": _soil(0.432, 27.30, 0.10),
    "sandy_clay": _soil(0.321, 23.90, 0.06),
    "silty_clay": _soil(0.423, 29.22, 0.05),
    "clay": _soil(0.385, 31.63, 0.03),
}
"""Soils by USDA texture: Rawls, Brakensiek and Miller 1983, doi:10.1061/(ASCE)0733-9429(1983)109:1(62), table 2.

The porosity of clay loam is printed as 0.309, but its range of one deviation (0.279 to 0.501) lies around 0.390.
"""


def describe_soil(texture: str, saturation: float, *, storage: Field | float, impervious: Field | float) -> GreenAmpt:
    """Return the parameters of one soil, ``saturation`` of whose effective porosity [1] holds water at the start.

    storage [m] and impervious [1] as in ``GreenAmpt``. Raise InputError naming an unknown texture or saturation.
    """
    if texture not in SOILS:
        raise InputError(f"soil texture is '{texture}', expected one of {', '.join(SOILS)}")
    if not 0.0 <= saturation <= 1.0:
        raise InputError(f"soil saturation is {saturation:g}, expected 0 to 1")
    soil = SOILS[texture]
    numbers = (soil.conductivity, soil.suction, soil.porosity * (1.0 - saturation))
    values = [np.asarray(value, dtype=np.float64) for value in (*numbers, storage, impervious)]
    return GreenAmpt(*values)


class CoverLoss(NamedTuple):
    """Losses of a land cover: sealed share [1], curve numbers of its open ground on soils A to D, first loss [m]."""

    impervious: float
    curve_numbers: tuple[float, float, float, float]
    initial: float


COVER_LOSSES: dict[str, CoverLoss] = {
    "water": CoverLoss(1.0, (100.0, 100.0, 100.0, 100.0), 0.0),
    "canal": CoverLoss(1.0, (100.0, 100.0, 100.0, 100.0), 0.0),
    "road": CoverLoss(1.0, (98.0, 98.0, 98.0, 98.0), 0.0019),
    "paved": CoverLoss(1.0, (98.0, 98.0, 98.0, 98.0), 0.0019),
    "building": CoverLoss(1.0, (98.0, 98.0, 98.0, 98.0), 0.0019),
    "urban": CoverLoss(0.65, (39.0, 61.0, 74.0, 80.0), 0.0038),
    "bare": CoverLoss(0.0, (77.0, 86.0, 91.0, 94.0), 0.0019),
    "grass": CoverLoss(0.0, (49.0, 69.0, 79.0, 84.0), 0.0038),
    "crops": CoverLoss(0.0, (67.0, 78.0, 85.0, 89.0), 0.0051),
    "rice": CoverLoss(0.0, (63.0, 75.0, 83.0, 87.0), 0.0051),
    "orchard": CoverLoss(0.0, (43.0, 65.0, 76.0, 82.0), 0.0076),
    "shrubs": CoverLoss(0.0, (35.0, 56.0, 70.0, 77.0), 0.0076),
    "trees": CoverLoss(0.0, (36.0, 60.0, 73.0, 79.0), 0.0076),
    "mangrove": CoverLoss(1.0, (100.0, 100.0, 100.0, 100.0), 0.0),
    "wetland": CoverLoss(1.0, (100.0, 100.0, 100.0, 100.0), 0.0),
    "other": CoverLoss(0.0, (68.0, 79.0, 86.0, 89.0), 0.0038),
}
"""Losses by the land covers of ``MANNINGS_N``.

Curve numbers: USDA 1986, TR-55, tables 2-2a to 2-2c: paved; newly graded; open space good (urban), fair (grass), poor
(other); row crops and small grain (rice), straight rows, good; orchard, brush and woods, fair. Sealed share: TR-55's
town houses, whose composite numbers these parts give. First loss: depression storage of ASCE 1992, Manual 77, as in
the SWMM 5 user's manual, table A.5, middle of its ranges. Wet ground (water, mangrove, wetland) takes nothing: an
assumption of ours, as is rice without the water its bunds hold.
"""
