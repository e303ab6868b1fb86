"""Voltage drop and current along the cables of a circuit at full load.

Source: IEC 60364-5-52:2009 (TCVN 7447-5-52), annex G: u = b (rho1 L/S cos phi + lambda L sin phi) I_B with b = 1 for
three phases and 2 for one, rho1 = 1.25 times the resistivity at 20 degrees, table G.52.1 for the limit of 3 % for
lighting. The reactance is left out: below 50 mm2 it adds less than a tenth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError
from network.circuits import Circuit, sum_below

RESISTIVITY = {"copper": 0.0225, "aluminium": 0.036}
"""Of conductors in normal service [ohm mm2/m]."""
LIGHTING_LIMIT = 0.03

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Loading:
    """What flows to each node at full load (nodes,).

    power: of it and of all it feeds [W]. current: in the cable that feeds it [A]. drop: from the cabinet to it, as a
    share of the voltage.
    """

    power: Values
    current: Values
    drop: Values


def compute_loading(
    circuit: Circuit,
    power: Values,
    resistance: Values,
    *,
    voltage: Values | float = 380.0,
    three_phase: bool = True,
    power_factor: float = 0.9,
) -> Loading:
    """Return power, current and voltage drop of each node.

    power: of the lamps at each node [W] (nodes,). resistance: of one conductor of the cable that feeds each node [ohm]
    (nodes,), 0 of cabinets. voltage: between phases [V], one number or one a node. With one phase lamps hang between it
    and neutral, at the voltage over the square root of 3. Raises InputError for values that do not fit or are negative.
    """
    size = circuit.parents.size
    volts = np.broadcast_to(np.asarray(voltage, np.float64), (size,))
    if power.shape != (size,) or resistance.shape != (size,):
        raise InputError(f"power or resistance does not fit {size} nodes", hint="give one value a node")
    if not ((power >= 0.0).all() and (resistance >= 0.0).all() and (volts > 0.0).all() and 0.0 < power_factor <= 1.0):
        raise InputError(
            "a power, resistance, voltage or power factor is negative or not a number", hint="give [W], [ohm], [V]"
        )
    carried = sum_below(circuit, power)
    phase = volts / np.sqrt(3.0)
    current = carried / (3.0 * phase * power_factor) if three_phase else carried / (phase * power_factor)
    step = (1.0 if three_phase else 2.0) * resistance * current * power_factor / phase
    drop = np.zeros(size)
    for node in circuit.order.tolist():
        parent = circuit.parents[node]
        if parent >= 0:
            drop[node] = drop[parent] + step[node]
    return Loading(carried, current, drop)
