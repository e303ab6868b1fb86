"""Numerical parameters of flood runs and forecasts, and Manning's n by land cover; a run stores what it used."""

from dataclasses import dataclass

from layers.errors import InputError


def _check_ranges(values: object, ranges: dict[str, tuple[float, float]]) -> None:
    for name, (low, high) in ranges.items():
        value = getattr(values, name)
        if not low <= value <= high:
            raise InputError(f"parameter {name} is {value}, expected {low:g} to {high:g}")


@dataclass(frozen=True, slots=True)
class FloodParameters:
    """Parameters of the local inertial scheme.

    theta: weight of a face's own discharge against its neighbours' [1]; below 1 adds diffusion (de Almeida 2012).
    courant: share of the gravity wave's travel time through a cell that one step may take [1]; above 0.6 waves may grow
        at theta 1.
    froude_max: largest Froude number a face may reach [1]; None: 1, or 5 with advection.
    dry_depth: water shallower than this over a face's crest does not flow [m].
    gravity: [m/s2]. dt_max, dt_min: longest step; a step that must be shorter than dt_min stops the run [s].
    mass_tolerance: largest volume error relative to the water handled [1].
    arrival_depth: depth that counts as the arrival of the flood [m].
    speed_depth: speeds are recorded where the depth is at least this [m].
    maxima_step: maxima and arrival are updated at least this often [s] (and at every output and forcing time).
    duration_step: durations are counted at least this often [s] (likewise).
    source_step: rain is added, and thin water moved, in portions of at most about this duration [s].
    film_depth: where it rains, tiles with no more water than this creep by Manning's equation on ``source_step`` [m].
    loss_step: the ground takes water in portions of this duration [s].
    durations: depths whose time above is recorded [m].
    advection: momentum is carried along, for dam breaks and flow that passes critical; steps are shorter then.
    threads: rows are computed on so many threads; None: on as many as turn out to be fastest.
    """

    theta: float = 1.0
    courant: float = 0.55
    froude_max: float | None = None
    dry_depth: float = 1.0e-3
    gravity: float = 9.80665
    dt_max: float = 20.0
    dt_min: float = 1.0e-3
    mass_tolerance: float = 1.0e-6
    arrival_depth: float = 0.05
    speed_depth: float = 0.01
    maxima_step: float = 10.0
    duration_step: float = 30.0
    source_step: float = 10.0
    film_depth: float = 5.0e-3
    loss_step: float = 60.0
    durations: tuple[float, ...] = (0.1, 0.3, 0.5)
    advection: bool = False
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.froude_max is None:
            object.__setattr__(self, "froude_max", 5.0 if self.advection else 1.0)
        _check_ranges(
            self,
            {
                "theta": (0.5, 1.0),
                "courant": (0.05, 0.95),
                "froude_max": (0.1, 10.0),
                "dry_depth": (1.0e-6, 0.05),
                "gravity": (1.0, 30.0),
                "dt_max": (1.0e-2, 600.0),
                "dt_min": (1.0e-9, 1.0),
                "mass_tolerance": (1.0e-12, 1.0),
                "arrival_depth": (1.0e-3, 5.0),
                "speed_depth": (1.0e-4, 1.0),
                "maxima_step": (0.0, 600.0),
                "duration_step": (0.0, 600.0),
                "source_step": (0.0, 600.0),
                "film_depth": (1.0e-6, 0.05),
                "loss_step": (1.0, 3600.0),
            },
        )
        if self.film_depth < self.dry_depth:
            raise InputError(
                f"parameter film_depth is {self.film_depth:g}, expected dry_depth {self.dry_depth:g} or more"
            )
        if self.threads is not None and not 1 <= self.threads <= 256:
            raise InputError(f"parameter threads is {self.threads}, expected 1 to 256")
        for depth in self.durations:
            if not 0.0 < depth < 100.0:
                raise InputError(f"parameter durations holds {depth:g} m, expected depths above 0")


@dataclass(frozen=True, slots=True)
class ForecastParameters:
    """Parameters of the stage forecast.

    fit_span: tide and residual model are fitted to at most this long a record before the issue time [s].
    most_rows: the residual model is fitted to at most so many issue times, evenly spread [1].
    blocks: the record is cut into so many pieces, each left out in turn to choose the model and measure its errors [1].
    gap_limit: gaps up to this long are bridged linearly [s].
    stale_limit: older than this, the newest reading says nothing about the residual to come [s].
    spike_step: a reading farther from its neighbours' median than so many usual changes of the rise is a spike [1].
    shift_least: a smaller step of the residual's level is no shift of the datum [m].
    lower, upper: probabilities of the band [1].
    detection: the quantile to warn from is the lowest that would have told this share of past high stages [1].
    """

    fit_span: float = 4.0 * 365.25 * 86400.0
    most_rows: int = 18_000
    blocks: int = 4
    gap_limit: float = 3600.0
    stale_limit: float = 86400.0
    spike_step: float = 8.0
    shift_least: float = 0.10
    lower: float = 0.10
    upper: float = 0.90
    detection: float = 0.90

    def __post_init__(self) -> None:
        _check_ranges(
            self,
            {
                "fit_span": (86400.0, 1.0e10),
                "most_rows": (1000, 1_000_000),
                "blocks": (2, 20),
                "gap_limit": (0.0, 86400.0),
                "stale_limit": (0.0, 10.0 * 86400.0),
                "spike_step": (3.0, 100.0),
                "shift_least": (0.01, 10.0),
                "lower": (0.001, 0.5),
                "upper": (0.5, 0.999),
                "detection": (0.5, 0.999),
            },
        )


MANNINGS_N: dict[str, float] = {
    "water": 0.030,
    "canal": 0.027,
    "road": 0.016,
    "paved": 0.016,
    "building": 0.300,
    "urban": 0.080,
    "bare": 0.025,
    "grass": 0.035,
    "crops": 0.040,
    "rice": 0.045,
    "orchard": 0.070,
    "shrubs": 0.070,
    "trees": 0.100,
    "mangrove": 0.140,
    "wetland": 0.070,
    "other": 0.050,
}
"""Manning's n [s/m^(1/3)] by land cover.

Chow 1959, Open-Channel Hydraulics, table 5-6: normal values for natural streams (D-1), excavated channels (C-a),
asphalt (B-2-h), pasture, field crops, brush and trees on flood plains (D-2). Buildings left in the terrain as rough
blocks: Syme 2008, Flooding in Urban Areas (0.3). Rice, orchard, mangrove, urban blocks: Arcement and Schneider
1989, USGS Water-Supply Paper 2339, by vegetation density and obstruction.
"""
