"""A run of the city's water network: built, solved, its results at the features of the layers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from epanet import toolkit
from numpy.typing import NDArray

from network.epanet.account import WaterBalance
from network.epanet.hydraulics import Hydraulics, run_model
from network.epanet.project import Project
from network.epanet.reading import Indices
from twin.process import Progress, StoppedError
from twin.water.model import WaterModel
from twin.water.network import LINK_LAYERS, WaterNetwork, find_cut_off

Array = NDArray[np.float64]
DAY = 86_400.0
_PRESSURES = (10.0, 15.0, 25.0, 50.0)
_PRESSURE_WORDS = np.array(["low", "weak", "fair", "good", "high"], object)
_SPEEDS = (0.05, 0.3, 1.0, 2.0)
_SPEED_WORDS = np.array(["still", "slow", "usual", "fast", "extreme"], object)


@dataclass(frozen=True, slots=True, eq=False)
class WaterRun:
    """What a run says; ``nodes`` and ``links`` give the place of the network's nodes and links in the results.

    cut_off: nodes that no link joined to a source at any time (nodes,).
    """

    network: WaterNetwork
    model: WaterModel
    hydraulics: Hydraulics
    nodes: Indices
    links: Indices
    cut_off: NDArray[np.bool_]


def solve_model(
    network: WaterNetwork,
    model: WaterModel,
    prepare: Callable[[Project], None],
    progress: Progress,
    *,
    span: tuple[float, float] = (0.4, 0.9),
    observe: Callable[[int, Project], None] | None = None,
) -> WaterRun:
    """Return the run of a model; ``prepare`` changes it first, ``observe`` is shown every solution with its time [s].

    span: from where to where the progress goes. Raises InputError for what EPANET cannot take, NumericsError where it
    finds no solution, MassBalanceError, StoppedError.
    """
    with Project(model.text) as project:
        prepare(project)
        duration = max(project.get_time(toolkit.DURATION), 1)

        def watch(time: int) -> None:
            if progress.should_stop():
                raise StoppedError
            progress.report(span[0] + (span[1] - span[0]) * time / duration, "thủy lực — hydraulics")
            if observe is not None:
                observe(time, project)

        hydraulics = run_model(project, watch=watch)
        links = project.links.find(model.links)
        cut_off = find_cut_off(network, hydraulics.opened[links] > 0.0)
        return WaterRun(network, model, hydraulics, project.nodes.find(model.nodes), links, cut_off)


def frame_pressures(run: WaterRun, areas: NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Return the layer ``water_pressures`` of a run."""
    nodes, found, at = run.network.nodes, run.hydraulics, run.nodes
    pressure = found.pressure
    cut_off = run.cut_off
    least = np.where(cut_off, 0.0, pressure.least[at])
    classes = np.where(cut_off | (least <= 0.0), "none", _PRESSURE_WORDS[np.digitize(least, _PRESSURES)]).astype(object)
    # Water stands free in a source.
    classes[(nodes["node_type"] == "reservoir").to_numpy()] = None
    return gpd.GeoDataFrame(
        {
            "id": nodes["id"],
            "node_id": nodes["id"],
            "node_type": nodes["node_type"],
            "pressure_class": classes,
            "pressure_min": least.round(2),
            "pressure_mean": np.where(cut_off, 0.0, pressure.mean[at]).round(2),
            "pressure_max": np.where(cut_off, 0.0, pressure.largest[at]).round(2),
            "head_mean": np.where(cut_off, np.nan, found.head.mean[at]).round(2),
            "demand": (found.demand.mean[at] * DAY).round(3),
            "deficit": (found.deficit.mean[at].clip(0.0) * DAY).round(3),
            "dma_id": areas,
        },
        geometry=nodes.geometry.to_numpy(),
        crs=nodes.crs,
    )


def frame_flows(run: WaterRun) -> gpd.GeoDataFrame:
    """Return the layer ``water_flows`` of a run; a valve or pump is drawn between its nodes."""
    found, at = run.hydraulics, run.links
    ids: list[str] = []
    layers: list[str] = []
    shapes: list[Any] = []
    dmas: list[str | None] = []
    points = run.network.nodes.geometry.to_numpy()
    for layer, frame in zip(LINK_LAYERS, run.network.links, strict=True):
        ids += frame["id"].tolist()
        layers += [layer] * len(frame)
        dmas += frame["dma_id"].tolist() if "dma_id" in frame else [None] * len(frame)
        if layer == "water_pipes":
            shapes += frame.geometry.tolist()
        else:
            ends = zip(frame["start"], frame["end"], strict=True)
            shapes += [shapely.LineString([points[a], points[b]]) for a, b in ends]
    length = np.concatenate(
        [run.network.pipes["length"].to_numpy(np.float64), np.full(len(ids) - len(run.network.pipes), np.nan)]
    )
    loss = found.head_loss.largest[at]
    velocity = found.velocity.largest[at]
    opened = found.opened[at]
    return gpd.GeoDataFrame(
        {
            "id": ids,
            "link_id": ids,
            "link_layer": layers,
            "flow_class": np.where(opened <= 0.0, "closed", _SPEED_WORDS[np.digitize(velocity, _SPEEDS)]),
            "flow_mean": found.flow.mean[at].round(6),
            "flow_max": found.speed.largest[at].round(6),
            "velocity_mean": found.velocity.mean[at].round(4),
            "velocity_max": velocity.round(4),
            "head_loss_max": loss.clip(-100.0).round(3),
            "head_loss_slope": (loss / length).clip(-10.0, 10.0).round(6),
            "open_share": opened.round(4),
            "reverses": (found.flow.least[at] < -1.0e-6) & (found.flow.largest[at] > 1.0e-6),
            "energy": found.energy[at].round(2),
            "dma_id": dmas,
        },
        geometry=shapes,
        crs=run.network.nodes.crs,
    )


def describe_balance(balance: WaterBalance) -> dict[str, float]:
    """Return the volumes of a run [m3] and the relative error [1], as a run publishes them."""
    names = ("supplied", "returned", "consumed", "emitted", "leaked", "stored")
    return {
        **{name: round(float(getattr(balance, name)), 2) for name in names},
        "relative_error": balance.relative_error,
    }


def describe_pumps(run: WaterRun, prices: Sequence[float]) -> dict[str, Any]:
    """Return energy [kWh], peak power [kW] and cost of every pump; ``prices`` [money/kWh] by the hour, one or 24."""
    found, pumps = run.hydraulics, run.network.pumps
    at = run.links[len(run.links) - len(pumps) :]
    by_hour = np.resize(np.asarray(prices, np.float64), 24)
    used = found.energy_by_hour
    total = float(used.sum())
    cost = float((used * by_hour).sum())
    rows = [
        {"id": key, "energy": round(float(energy), 1), "peak_power": round(float(peak), 1)}
        for key, energy, peak in zip(pumps["id"], found.energy[at], found.peak_power[at], strict=True)
    ]
    moved = found.balance.supplied
    return {
        "pumps": rows, "energy": round(total, 1), "cost": round(cost), "energy_by_hour": used.round(1).tolist(),
        "energy_per_m3": round(total / moved, 4) if moved > 0.0 else None,
    }  # fmt: skip


def describe_pressures(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return how many junctions have which pressure, the least and the largest [m], and what lacks [m3/d]."""
    junctions = frame[frame["node_type"] == "junction"]
    counts = junctions["pressure_class"].value_counts()
    fed = junctions[junctions["pressure_class"] != "none"]
    return {
        "junctions": len(junctions),
        "by_class": {str(name): int(number) for name, number in counts.items()},
        "pressure_min": float(fed["pressure_min"].min()) if len(fed) else None,
        "pressure_max": float(fed["pressure_max"].max()) if len(fed) else None,
        "demand": round(float(junctions["demand"].sum()), 1),
        "deficit": round(float(junctions["deficit"].sum()), 1),
    }
