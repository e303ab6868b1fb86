"""The water network as the layers hold it, made sound: what EPANET can solve, and what had to be left out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from layers.errors import InputError, TooLargeError
from twin.process import CityView

MOST_LINKS = 500_000
CONTROL_VALVES = ("prv", "psv", "pbv", "fcv", "tcv", "gpv")
LINK_LAYERS = ("water_pipes", "water_valves", "water_pumps")

# Hazen-Williams C where a pipe says none: Lamont (1981), as in EPANET's manual, table 3.2, for pipes in service.
_ROUGHNESS = {
    "ductile_iron": 130.0, "cast_iron": 100.0, "steel": 110.0, "pvc": 145.0, "hdpe": 145.0, "asbestos_cement": 135.0,
    "concrete": 120.0, "copper": 135.0,
}  # fmt: skip
USUAL_ROUGHNESS = 120.0
USUAL_DIAMETER = 0.1
_NODE_COLUMNS = (
    "node_type", "name", "elevation", "base_demand", "pattern", "head", "initial_level", "min_level", "max_level",
    "tank_diameter", "volume", "dma_id",
)  # fmt: skip
_PIPE_COLUMNS = (
    "pipe_type", "from_node", "to_node", "diameter", "material", "length", "roughness", "minor_loss", "status",
    "dma_id",
)  # fmt: skip
_VALVE_COLUMNS = (
    "valve_type", "status", "normal_status", "pipe_id", "from_node", "to_node", "diameter", "pressure_setting",
    "flow_setting", "minor_loss", "dma_id",
)  # fmt: skip
_PUMP_COLUMNS = (
    "name", "from_node", "to_node", "rated_flow", "rated_head", "power", "efficiency", "curve", "status", "hours",
    "control_node", "start_below", "stop_above",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class WaterNetwork:
    """Nodes, pipes, control valves and pumps that hang together with a source; frames with ``id`` and geometry.

    Links have ``start`` and ``end``, rows of ``nodes``. Pipes have ``opened`` and ``one_way``, which their own state
    and the isolation and check valves on them decide. left_out: ids by reason, of what takes no part.
    """

    nodes: gpd.GeoDataFrame
    pipes: gpd.GeoDataFrame
    valves: gpd.GeoDataFrame
    pumps: gpd.GeoDataFrame
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def links(self) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
        """Pipes, valves and pumps, as LINK_LAYERS names them."""
        return self.pipes, self.valves, self.pumps


def read_network(
    view: CityView, *, model: str | None = None, closed: Sequence[str] = (), opened: Sequence[str] = ()
) -> WaterNetwork:
    """Return the city's water network with the pipes and valves ``closed`` or ``opened`` by a scenario.

    ``model``: only the items of an imported model; without it those that are no model's, or all where there are none.

    Raises InputError where there is no source or no pipe from one, or an id is neither pipe nor valve; TooLargeError
    above MOST_LINKS links.
    """
    whole = [
        view.layer(layer, columns=[*columns, "model_id"])
        for layer, columns in (
            ("water_nodes", _NODE_COLUMNS),
            ("water_pipes", _PIPE_COLUMNS),
            ("water_valves", _VALVE_COLUMNS),
            ("water_pumps", _PUMP_COLUMNS),
        )
    ]
    own = model is None and whole[0]["model_id"].isna().any()
    nodes, pipes, valves, pumps = (
        frame[frame["model_id"].isna() if own else frame["model_id"] == model].reset_index(drop=True)
        if own or model is not None
        else frame
        for frame in whole
    )
    if len(pipes) + len(valves) + len(pumps) > MOST_LINKS:
        raise TooLargeError(f"the city has {len(pipes):,} water pipes, expected at most {MOST_LINKS:,} links")
    if not nodes["node_type"].isin(["reservoir", "tank"]).any():
        raise InputError(
            "the water network has no source, expected a node of type reservoir or tank",
            hint="load water_nodes with node_type reservoir, or set it on the map",
        )
    pipes, valves = _work_valves(pipes, valves, closed, opened)
    left: dict[str, tuple[str, ...]] = {}
    row_of = {key: row for row, key in enumerate(nodes["id"])}
    links = [
        _join(frame, row_of, left, layer) for frame, layer in zip((pipes, valves, pumps), LINK_LAYERS, strict=True)
    ]
    kept = _find_fed(nodes, links)
    dropped = tuple(nodes.loc[~kept, "id"])
    if dropped:
        left["nodes without a way to a source"] = dropped
    links = [frame[kept[frame["start"].to_numpy(np.int64)]].reset_index(drop=True) for frame in links]
    if not len(links[0]):
        raise InputError("no water pipe hangs together with a source", hint="twin check lists what is not joined")
    place = np.cumsum(kept) - 1
    for frame in links:
        frame["start"] = place[frame["start"].to_numpy(np.int64)]
        frame["end"] = place[frame["end"].to_numpy(np.int64)]
    return WaterNetwork(nodes[kept].reset_index(drop=True), _fill_pipes(links[0]), links[1], links[2], left)


def _work_valves(
    pipes: gpd.GeoDataFrame, valves: gpd.GeoDataFrame, closed: Sequence[str], opened: Sequence[str]
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return pipes with ``opened`` and ``one_way``, and the valves that are links of their own."""
    for name, wanted in (("closed", closed), ("opened", opened)):
        for key in wanted:
            if key not in set(valves["id"]) and key not in set(pipes["id"]):
                raise InputError(f"'{key[:80]}' in {name} is neither a water valve nor a water pipe")
    status = valves["status"].where(valves["status"] != "stuck", valves["normal_status"])
    status = status.mask(valves["id"].isin(closed), "closed").mask(valves["id"].isin(opened), "open")
    valves = valves.assign(status=status)
    inline = valves["valve_type"].isin(CONTROL_VALVES)
    on_pipes = valves[~inline]
    shut = set(on_pipes.loc[(on_pipes["status"] == "closed") & (on_pipes["valve_type"] == "isolation"), "pipe_id"])
    checked = set(on_pipes.loc[on_pipes["valve_type"] == "check", "pipe_id"])
    worked = set(on_pipes.loc[on_pipes["id"].isin(opened), "pipe_id"]) - shut
    ids = pipes["id"]
    stands_open = (pipes["status"] != "closed") | ids.isin(worked) | ids.isin(opened)
    is_open = stands_open & ~ids.isin(shut) & ~ids.isin(closed)
    pipes = pipes.assign(opened=is_open, one_way=(pipes["status"] == "check_valve") | ids.isin(checked))
    return pipes, valves[inline].reset_index(drop=True)


def _join(
    frame: gpd.GeoDataFrame, row_of: Mapping[str, int], left: dict[str, tuple[str, ...]], layer: str
) -> gpd.GeoDataFrame:
    """Return the links whose two nodes there are, with the rows of those as ``start`` and ``end``."""
    start, end = (frame[name].map(row_of) for name in ("from_node", "to_node"))
    fit = start.notna() & end.notna() & (start != end)
    if not fit.all():
        left[f"{layer} without two nodes"] = tuple(frame.loc[~fit, "id"])
    joined = frame[fit].reset_index(drop=True)
    return joined.assign(start=start[fit].to_numpy(np.int64), end=end[fit].to_numpy(np.int64))


def _find_fed(nodes: gpd.GeoDataFrame, links: Sequence[gpd.GeoDataFrame]) -> NDArray[np.bool_]:
    """Return which nodes hang together with a source, closed links counted too."""
    start = np.concatenate([frame["start"].to_numpy(np.int64) for frame in links])
    end = np.concatenate([frame["end"].to_numpy(np.int64) for frame in links])
    count = len(nodes)
    _, part = connected_components(coo_array((np.ones(start.size), (start, end)), shape=(count, count)), directed=False)
    touched = np.zeros(count, bool)
    touched[start] = touched[end] = True
    source = nodes["node_type"].isin(["reservoir", "tank"]).to_numpy()
    return np.asarray(np.isin(part, np.unique(part[source & touched])) & touched)


def list_rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows of a frame, their columns as attributes."""
    yield from frame.itertuples(index=False)


def find_cut_off(network: WaterNetwork, opened: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which nodes (nodes,) no open link joins to a source; ``opened``: pipes, valves, pumps (links,)."""
    start, end = (
        np.concatenate([frame[name].to_numpy(np.int64) for frame in network.links])[opened] for name in ("start", "end")
    )
    count = len(network.nodes)
    _, part = connected_components(coo_array((np.ones(start.size), (start, end)), shape=(count, count)), directed=False)
    source = network.nodes["node_type"].isin(["reservoir", "tank"]).to_numpy()
    return np.asarray(~np.isin(part, np.unique(part[source])))


def _fill_pipes(pipes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return pipes that all have a length, a diameter and a roughness; guessed ones are marked in ``assumed``."""
    length = pd.to_numeric(pipes["length"]).where(pipes["length"] > 0.0)
    diameter = pd.to_numeric(pipes["diameter"]).where(pipes["diameter"] > 0.0)
    drawn = shapely.length(pipes.geometry.to_numpy())
    by_material = pipes["material"].map(_ROUGHNESS).fillna(USUAL_ROUGHNESS).astype(float)
    return pipes.assign(
        assumed=diameter.isna(),
        length=length.fillna(pd.Series(np.maximum(drawn, 0.1), index=pipes.index)),
        diameter=diameter.fillna(USUAL_DIAMETER),
        roughness=pd.to_numeric(pipes["roughness"]).fillna(by_material),
        minor_loss=pd.to_numeric(pipes["minor_loss"]).fillna(0.0),
    )
