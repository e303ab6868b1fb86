"""SWMM's binary results: what every node, link and subcatchment did at each reporting step.

Layout: SWMM 5.2, ``output.c``. The file holds 4-byte numbers: a head with ids, variables and dimensions, then one
record a step (a date of 8 bytes and the values of subcatchments, nodes, links and system), then six numbers that say
where the parts begin.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hydrology.drainage import Scale
from layers.errors import SourceError

Values = NDArray[np.float32]

_MAGIC = 516114522
_NODE_DEPTH, _NODE_INFLOW, _NODE_FLOODING = 0, 4, 5
_LINK_FLOW, _LINK_DEPTH, _LINK_VELOCITY = 0, 1, 2
_SYSTEM_RUNOFF, _SYSTEM_FLOODING, _SYSTEM_OUTFLOW = 4, 10, 11
_SYSTEM_VARIABLES = 15


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What happened in time: times since the start [s] (times,), and arrays in float32.

    node_depth [m], node_inflow [m3/s], node_flooding [m3/s] (nodes, times); link_flow [m3/s], link_depth [m],
    link_velocity [m/s] (links, times); runoff, flooding, outflow of the whole system [m3/s] (times,).
    """

    times: NDArray[np.float64]
    node_depth: Values
    node_inflow: Values
    node_flooding: Values
    link_flow: Values
    link_depth: Values
    link_velocity: Values
    runoff: Values
    flooding: Values
    outflow: Values


def read_series(path: Path, scale: Scale, *, most_values: int) -> Series:
    """Return the series of a finished run in SI.

    Where an array would have more than ``most_values`` numbers, only every k-th step is kept. Raise SourceError for a
    file that is no complete result of SWMM.
    """
    size = path.stat().st_size if path.exists() else 0
    if size < 13 * 4:
        raise SourceError(f"{path.name} has {size} bytes, expected the results of a SWMM run")
    tail = np.fromfile(path, dtype="<i4", count=6, offset=size - 24)
    head = np.fromfile(path, dtype="<i4", count=7)
    if tail[5] != _MAGIC or head[0] != _MAGIC or tail[4] != 0:
        raise SourceError(f"{path.name} is no complete result of SWMM: error code {int(tail[4])}")
    begin, steps = int(tail[2]), int(tail[3])
    catchments, nodes, links, pollutants = (int(count) for count in head[3:7])
    widths = (catchments * (8 + pollutants), nodes * (6 + pollutants), links * (5 + pollutants), _SYSTEM_VARIABLES)
    record = np.dtype([("date", "<f8"), ("values", "<f4", (sum(widths),))])
    every = max(1, -(-steps * max(nodes, links, 1) // most_values))
    table = np.memmap(path, dtype=record, mode="r", offset=begin, shape=(steps,))[every - 1 :: every]
    values = table["values"]
    first, second, third = np.cumsum(widths[:3])
    of_nodes = values[:, first:second].reshape(len(table), nodes, 6 + pollutants)
    of_links = values[:, second:third].reshape(len(table), links, 5 + pollutants)

    def take(block: Values, variable: int, factor: float) -> Values:
        return np.ascontiguousarray(block[:, :, variable].T) * np.float32(factor)

    def take_system(variable: int) -> Values:
        return values[:, third + variable] * np.float32(scale.flow)

    start = np.fromfile(path, dtype="<f8", count=1, offset=begin - 12)[0]
    return Series(
        np.round((np.asarray(table["date"], dtype=np.float64) - float(start)) * 86400.0),
        take(of_nodes, _NODE_DEPTH, scale.length),
        take(of_nodes, _NODE_INFLOW, scale.flow),
        take(of_nodes, _NODE_FLOODING, scale.flow),
        take(of_links, _LINK_FLOW, scale.flow),
        take(of_links, _LINK_DEPTH, scale.length),
        take(of_links, _LINK_VELOCITY, scale.length),
        take_system(_SYSTEM_RUNOFF),
        take_system(_SYSTEM_FLOODING),
        take_system(_SYSTEM_OUTFLOW),
    )
