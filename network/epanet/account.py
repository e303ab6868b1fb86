"""Where the water of a run went: what sources gave against what was drawn, lost and stored."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.errors import MassBalanceError
from network.epanet.project import Project

LARGEST_ERROR = 0.005
"""Share of the water that a run may create or lose [1]."""


@dataclass(frozen=True, slots=True)
class WaterBalance:
    """Volumes of a run [m3].

    supplied: what reservoirs and junctions with a negative demand gave; returned: what reservoirs took back.
    consumed: by customers. emitted: through emitters.
    leaked: through leaks of pipes. stored: what tanks hold more than at the start.
    """

    supplied: float
    returned: float
    consumed: float
    emitted: float
    leaked: float
    stored: float

    @property
    def residual(self) -> float:
        """Water that is missing at the end [m3]; negative where it came from nowhere."""
        return self.supplied - self.returned - self.consumed - self.emitted - self.leaked - self.stored

    @property
    def relative_error(self) -> float:
        """Residual as a share of all that came out of reservoirs and tanks [1]; 0 where not even a litre did."""
        through = self.supplied + max(-self.stored, 0.0)
        return self.residual / through if not through < 1.0e-3 else 0.0

    def check(self) -> None:
        """Raise MassBalanceError where the relative error is above LARGEST_ERROR."""
        if not abs(self.relative_error) <= LARGEST_ERROR:
            raise MassBalanceError(
                f"the water run misses {self.residual:,.1f} m3, {100 * self.relative_error:.2f} % of its water, "
                f"expected at most {100 * LARGEST_ERROR:g} %",
                hint="a smaller accuracy or hydraulic step may mend it",
            )


class Account:
    """Sums the volumes of a run: tell it every solution with ``add``, then ask ``close``."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._reservoirs = project.nodes.select("reservoir")
        self._rates = np.zeros(5)
        self._volumes = np.zeros(5)
        self._since: int | None = None
        self._at_start = 0.0

    def add(self, time: int) -> float:
        """Take note of the solution at ``time`` [s] and return how long the one before it held [s]."""
        held = 0.0 if self._since is None else float(time - self._since)
        if self._since is None:
            self._at_start = float(self._project.tank_volumes().sum())
        self._volumes += held * self._rates
        self._since = time
        self._rates = self._read_rates()
        return held

    def _read_rates(self) -> NDArray[np.float64]:
        given = -self._project.outflows()[self._reservoirs]
        drawn = self._project.demands()
        return np.array(
            [
                given.clip(0.0).sum() + (-drawn).clip(0.0).sum(),
                (-given).clip(0.0).sum(),
                drawn.clip(0.0).sum(),
                self._project.emitter_flows().sum(),
                self._project.leakages().sum(),
            ]
        )

    def close(self) -> WaterBalance:
        """Return the balance up to the last solution."""
        stored = float(self._project.tank_volumes().sum()) - self._at_start
        supplied, returned, consumed, emitted, leaked = (float(volume) for volume in self._volumes)
        return WaterBalance(supplied, returned, consumed, emitted, leaked, stored)
