"""Losses of a water network: night flow, the water balance of the IWA, unavoidable losses, the leakage index.

References: Lambert and Hirner (2000), Losses from water supply systems, IWA Blue Pages; Lambert, Brown, Takizawa and
Weimer (1999), A review of performance indicators for real losses from water supply systems, AQUA 48(6); AWWA M36
(2016); European Commission (2015), Good practices on leakage management, main report.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError

Array = NDArray[np.float64]
DAY = 86_400.0
LITRE = 1.0e-3
_DAY_HOURS = 24
LEAST_PRESSURE = 25.0
LEAST_SIZE = 3000.0
"""Where the formula of unavoidable losses was fitted: pressure [m]; 20 · mains [km] + connections above it."""

_BOUNDS = {"developed": (1.5, 2.0, 4.0, 8.0), "developing": (3.0, 4.0, 8.0, 16.0)}
_BANDS = ("A1", "A2", "B", "C", "D")
Group = Literal["developed", "developing"]


def find_night_flow(times: Array, flow: Array, *, offset_s: float, begins: float = 2.0, ends: float = 4.0) -> Array:
    """Return the least hourly flow of each night between two hours of the local clock (nights,), in the flow's unit.

    times: starts of hours [s since 1970 UTC] (n,), flow (n,), ``offset_s``: local time less UTC [s]. A night without a
    reading is left out.
    """
    local = times + offset_s
    hour = (local % DAY) / 3600.0
    inside = (hour >= begins) & (hour < ends) & np.isfinite(flow)
    nights, at = np.unique((local[inside] // DAY).astype(np.int64), return_inverse=True)
    least = np.full(nights.size, np.inf)
    np.minimum.at(least, at, flow[inside])
    return least


def measure_night_day(pressure: Array, *, night: slice, exponent: float) -> float:
    """Return for how many hours of leakage at night's pressure a day counts (the night–day factor) [h].

    pressure: mean of the area in each hour of the day (24,) [m]; leakage goes with pressure^exponent (FAVAD, May 1994):
    0.5 for holes that keep their size, 1.5 for cracks that open, 1 on average.
    """
    if pressure.shape != (_DAY_HOURS,):
        raise InputError(f"pressure has the shape {pressure.shape}, expected one value for each of 24 hours")
    at_night = float(pressure[night].mean())
    if at_night <= 0.0:
        return float(_DAY_HOURS)
    return float(((pressure.clip(0.0) / at_night) ** exponent).sum())


@dataclass(frozen=True, slots=True)
class WaterUse:
    """What is known of the use of an area [m3/d]; shares [1] stand for what nobody measures.

    unbilled_unmetered_share: of the system input (AWWA M36: 0.0125). unauthorised_share: of the system input, drawn
    without permission (0.0025). meter_error: how much customers' meters read too little (0.02). data_error: share of
    the metered that is lost in the office (0.0025).
    """

    system_input: float
    billed_metered: float
    billed_unmetered: float = 0.0
    unbilled_metered: float = 0.0
    unbilled_unmetered_share: float = 0.0125
    unauthorised_share: float = 0.0025
    meter_error: float = 0.02
    data_error: float = 0.0025


@dataclass(frozen=True, slots=True)
class IwaBalance:
    """The standard water balance of the IWA [m3/d]."""

    system_input: float
    billed_metered: float
    billed_unmetered: float
    unbilled_metered: float
    unbilled_unmetered: float
    unauthorised: float
    metering_inaccuracies: float
    data_handling: float
    real_losses: float

    @property
    def billed_authorised(self) -> float:
        """Revenue water."""
        return self.billed_metered + self.billed_unmetered

    @property
    def unbilled_authorised(self) -> float:
        """Use that is allowed and not paid for."""
        return self.unbilled_metered + self.unbilled_unmetered

    @property
    def authorised(self) -> float:
        """All use that is allowed."""
        return self.billed_authorised + self.unbilled_authorised

    @property
    def apparent_losses(self) -> float:
        """What is used and not measured or not billed by fault."""
        return self.unauthorised + self.metering_inaccuracies + self.data_handling

    @property
    def water_losses(self) -> float:
        """System input less all use that is allowed."""
        return self.apparent_losses + self.real_losses

    @property
    def non_revenue_water(self) -> float:
        """System input that brings no revenue."""
        return self.unbilled_authorised + self.water_losses

    @property
    def non_revenue_share(self) -> float:
        """Non-revenue water as a share of the system input [1]; 0 without any input."""
        return self.non_revenue_water / self.system_input if self.system_input > 0.0 else 0.0


def balance_water(use: WaterUse) -> IwaBalance:
    """Return the water balance from the top down: real losses are what nothing else explains; negative where meters
    read more than came in.

    Raises InputError for a value below zero.
    """
    for name in ("system_input", "billed_metered", "billed_unmetered", "unbilled_metered"):
        if not getattr(use, name) >= 0.0:
            raise InputError(f"{name} is {getattr(use, name)} m3/d, expected 0 or more")
    metered = use.billed_metered + use.unbilled_metered
    # A meter that misses a share e of what passes it read (1 - e) of it.
    missed = metered * use.meter_error / (1.0 - use.meter_error)
    parts = (
        use.unbilled_unmetered_share * use.system_input,
        use.unauthorised_share * use.system_input,
        missed,
        use.data_error * use.billed_metered,
    )
    known = use.billed_metered + use.billed_unmetered + use.unbilled_metered + sum(parts)
    return IwaBalance(
        use.system_input, use.billed_metered, use.billed_unmetered, use.unbilled_metered, *parts,
        use.system_input - known,
    )  # fmt: skip


def estimate_unavoidable(*, mains_km: float, connections: float, private_km: float, pressure: float) -> float:
    """Return the unavoidable annual real losses of a network in good repair (UARL) [m3/d].

    UARL [l/d] = (18 Lm + 0.8 Nc + 25 Lp) P (Lambert et al. 1999, table 4): mains [km], connections, pipes on private
    ground up to the meters [km], mean pressure [m].
    """
    return LITRE * (18.0 * mains_km + 0.8 * connections + 25.0 * private_km) * pressure


def is_fitted(*, mains_km: float, connections: float, pressure: float) -> bool:
    """Return whether a network is within what the formula of unavoidable losses was fitted to."""
    return 20.0 * mains_km + connections > LEAST_SIZE and pressure > LEAST_PRESSURE


def grade_leakage(index: float, group: Group = "developing") -> str:
    """Return the band of an infrastructure leakage index: A1, A2, B, C or D; ``unknown`` for none.

    Developed: 1.5, 2, 4, 8; developing: twice as much (World Bank Institute; A parted as by the European Commission).
    """
    if not np.isfinite(index):
        return "unknown"
    return _BANDS[int(np.searchsorted(_BOUNDS[group], index, side="right"))]
