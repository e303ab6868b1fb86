"""What a trace adds up to: count, sum, least, most, mean, worst; length, volume of pipes, area drained."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError
from network.graph import Graph, Mask
from network.tracing import Trace

On = Literal["nodes", "links"]
Operation = Literal["count", "sum", "minimum", "maximum", "mean", "worst"]


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A figure of a trace: an operation on a value of its nodes or links.

    values: (nodes,) or (links,); NaN where it is not known, which is left out. where: only what is true counts.
    ``worst`` is the largest value (a condition grade, an urgency) and names what has it.
    """

    operation: Operation
    on: On = "links"
    values: NDArray[np.float64] | None = None
    where: Mask | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """The value of a measure; None where nothing has one. counted: on how many. place: index of the worst, or None."""

    value: float | None
    counted: int
    place: int | None = None


def measure_trace(graph: Graph, trace: Trace, measure: Measure) -> Figure:
    """Return one figure of a trace; raise InputError where values are not one a node or a link."""
    size = graph.node_count if measure.on == "nodes" else graph.link_count
    chosen = trace.nodes if measure.on == "nodes" else trace.links
    for name, given in (("values", measure.values), ("where", measure.where)):
        if given is not None and given.shape != (size,):
            raise InputError(f"{name} has the shape {given.shape}, expected ({size},)", hint="give one value each")
    if measure.where is not None:
        chosen = chosen[measure.where[chosen]]
    if measure.operation == "count":
        return Figure(float(chosen.size), chosen.size)
    if measure.values is None:
        raise InputError(f"'{measure.operation}' needs values", hint="give an array, one value each")
    values = measure.values[chosen]
    known = ~np.isnan(values)
    chosen, values = chosen[known], values[known]
    if measure.operation == "sum":
        return Figure(float(values.sum()), values.size)
    if not values.size:
        return Figure(None, 0)
    if measure.operation == "worst":
        worst = int(np.argmax(values))
        return Figure(float(values[worst]), values.size, int(chosen[worst]))
    if measure.operation == "mean":
        return Figure(float(values.mean()), values.size)
    return Figure(float(values.min() if measure.operation == "minimum" else values.max()), values.size)


def sum_length(lengths: NDArray[np.float64]) -> Measure:
    """Return the measure of the length of the links [m]."""
    return Measure("sum", "links", lengths)


def sum_volume(lengths: NDArray[np.float64], diameters: NDArray[np.float64]) -> Measure:
    """Return the measure of the volume inside the pipes [m3] from their lengths [m] and diameters [m]."""
    return Measure("sum", "links", lengths * np.pi / 4.0 * diameters**2)


def sum_area(areas: NDArray[np.float64]) -> Measure:
    """Return the measure of the area that drains to the nodes [m2]: of an upstream trace, the area drained."""
    return Measure("sum", "nodes", areas)
