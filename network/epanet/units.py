"""The units of a model's file in SI."""

from dataclasses import dataclass

from layers.quantities import conversion_factor

FLOW_UNITS = ("CFS", "GPM", "MGD", "IMGD", "AFD", "LPS", "LPM", "MLD", "CMH", "CMD", "CMS")
FLOW_TO_SI = (
    *(conversion_factor(unit, "m3/s") for unit in ("ft3/s", "gal/min", "MGD")),
    4546.09 / 86400.0,
    43560.0 * 0.3048**3 / 86400.0,
    *(conversion_factor(unit, "m3/s") for unit in ("l/s", "l/min")),
    1000.0 / 86400.0,
    *(conversion_factor(unit, "m3/s") for unit in ("m3/h", "m3/d", "m3/s")),
)
"""m3/s in one of FLOW_UNITS (IMGD: imperial gallon 4.54609 l; AFD: acre-foot a day)."""

_FIRST_METRIC = 5
_FOOT = 0.3048
_HEAD_OF_PRESSURE = (_FOOT / 0.4333, _FOOT / (0.4333 * 6.895), 1.0, _FOOT / (0.4333 * 0.06895), _FOOT)
"""Metres of water in one psi, kPa, m, bar, ft by the factors of EPANET (types.h: PSIperFT, KPAperPSI, BARperPSI)."""


@dataclass(frozen=True, slots=True)
class Units:
    """What one unit of the file is: flow [m3/s], length [m], diameter [m], pressure [m of water]; its flow's name."""

    name: str
    flow: float
    length: float
    diameter: float
    pressure: float


def find_units(flow: int, pressure: int) -> Units:
    """Return the units of a model by EPANET's numbers of its flow and pressure units."""
    metric = flow >= _FIRST_METRIC
    return Units(
        FLOW_UNITS[flow],
        FLOW_TO_SI[flow],
        1.0 if metric else _FOOT,
        1.0e-3 if metric else _FOOT / 12.0,
        _HEAD_OF_PRESSURE[pressure],
    )
