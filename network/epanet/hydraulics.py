"""A run of a water network: least, mean and largest of every node and link, pumps' energy, the water balance."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from epanet import toolkit
from numpy.typing import NDArray

from network.epanet.account import Account, WaterBalance
from network.epanet.project import Project
from network.epanet.reading import Array, Indices

FINEST_ACCURACY = 1.0e-4
"""Convergence that a run asks for at least: change of all flows over all flows [1].

EPANET's usual 0.001, or the 0.01 that files carry, leaves up to 0.2 % of the water unaccounted for.
"""


class Spread:
    """Least, mean and largest of a quantity in time; a value counts as long as it holds."""

    def __init__(self, count: int) -> None:
        self.least = np.full(count, np.inf)
        self.largest = np.full(count, -np.inf)
        self._sum = np.zeros(count)
        self._time = 0.0
        self._last: Array | None = None
        self._count = count

    def add(self, values: Array, held: float) -> None:
        """Take note of ``values``; those told before them held for ``held`` [s]."""
        if self._last is not None:
            self._sum += held * self._last
            self._time += held
        self._last = values
        np.minimum(self.least, values, out=self.least)
        np.maximum(self.largest, values, out=self.largest)

    def take(self, order: Indices) -> "Spread":
        """Return the spread of some of the values, in another order."""
        taken = Spread(len(order))
        taken.least, taken.largest = self.least[order], self.largest[order]
        taken._sum, taken._time, taken._last = self.mean[order], 1.0, self.mean[order]
        return taken

    @property
    def mean(self) -> Array:
        """Mean in time; the one value of a run without duration."""
        if self._time > 0.0:
            return self._sum / self._time
        return np.zeros(self._count) if self._last is None else self._last


@dataclass(frozen=True, slots=True, eq=False)
class Hydraulics:
    """What a run says of nodes (nodes,) and links (links,), in the order of the project.

    pressure, head [m of water, m]; demand: what customers get, deficit: what they lack [m3/s]; flow: from a link's
    first to its second node, speed: how much without direction [m3/s]; velocity [m/s]; head_loss [m]; opened: share of
    the time a link was open [1]. energy [kWh] and peak_power [kW] of links that are pumps, else 0; energy_by_hour (24,)
    of the clock [kWh]. steps: solutions; unbalanced: those that did not converge.
    """

    duration: float
    pressure: Spread
    head: Spread
    demand: Spread
    deficit: Spread
    flow: Spread
    speed: Spread
    velocity: Spread
    head_loss: Spread
    opened: Array
    energy: Array
    peak_power: Array
    energy_by_hour: Array
    balance: WaterBalance
    steps: int
    unbalanced: int


def run_model(project: Project, *, watch: Callable[[int], None] | None = None, keep: bool = False) -> Hydraulics:
    """Return what a run from the start to the end of the project says.

    ``watch`` is told the time of every solution [s] while its values can be read. ``keep``: a quality run follows.
    Raises NumericsError where no solution is found, MassBalanceError where water is missing.
    """
    if project.get_option(toolkit.ACCURACY) > FINEST_ACCURACY:
        project.set_option(toolkit.ACCURACY, FINEST_ACCURACY)
    nodes, links = len(project.nodes.ids), len(project.links.ids)
    pressure, head, demand, deficit = (Spread(nodes) for _ in range(4))
    flow, speed, velocity, head_loss, opened, power = (Spread(links) for _ in range(6))
    account, by_hour, power_now = Account(project), np.zeros(24), 0.0
    starts_at = project.get_time(toolkit.STARTTIME)
    last, steps, unbalanced = 0, 0, 0
    for time in project.run_hydraulics(keep=keep):
        held = account.add(time)
        _add_energy(by_hour, starts_at + last, held, power_now)
        pressure.add(project.pressures(), held)
        head.add(project.heads(), held)
        demand.add(project.demands(), held)
        deficit.add(project.deficits(), held)
        flows = project.flows()
        flow.add(flows, held)
        speed.add(np.abs(flows), held)
        velocity.add(project.velocities(), held)
        head_loss.add(project.head_losses(), held)
        opened.add(project.opened().astype(np.float64), held)
        powers = project.powers()
        power.add(powers, held)
        power_now, last, steps = float(powers.sum()), time, steps + 1
        unbalanced += project.warning in (1, 2)
        if watch is not None:
            watch(time)
    balance = account.close()
    balance.check()
    return Hydraulics(
        float(last), pressure, head, demand, deficit, flow, speed, velocity, head_loss, opened.mean,
        power.mean * last / 3600.0, power.largest, by_hour, balance, steps, unbalanced,
    )  # fmt: skip


def _add_energy(by_hour: NDArray[np.float64], begin: int, held: float, power: float) -> None:
    """Add the energy of ``power`` [kW] over ``held`` [s] from the clock time ``begin`` [s] to the hours it falls in."""
    now, end = float(begin), begin + held
    while now < end:
        until = min((now // 3600.0 + 1.0) * 3600.0, end)
        by_hour[int(now // 3600.0) % 24] += power * (until - now) / 3600.0
        now = until
