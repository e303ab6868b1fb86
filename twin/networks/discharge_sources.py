"""Who can let something go into the drains: permitted discharges, and works and houses that may have no permit."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from layers.schema import Text
from network.graph import Index
from twin.networks.city_graph import CityGraph
from twin.process import CityView

PERMITS, BUILDINGS = "discharge_permits", "buildings"
NODE_REACH = 120.0
"""How far a source may lie from the node it is taken to be connected to [m]."""
BANK = 40.0
"""How far an outlet may stand from the water it lets go into [m]."""
_OF_PERMITS = [
    "permit_number", "facility", "activity", "daily_volume", "water_body_id", "status", "bod_limit", "cod_limit",
    "tss_limit",
]  # fmt: skip
_SHARED = ("permit_id", "permit_number", "permit_status", "daily_volume", "bod_limit", "cod_limit", "tss_limit")
OF_BUILDINGS = {"industrial": "industry", "hospital": "hospital"}
ACTIVITY_TITLES = {
    "domestic": Text("sinh hoạt", "domestic"),
    "industry": Text("công nghiệp", "industry"),
    "seafood": Text("chế biến thủy sản", "seafood processing"),
    "hospital": Text("y tế", "health care"),
    "market": Text("chợ", "market"),
    "livestock": Text("chăn nuôi, nuôi trồng", "livestock, aquaculture"),
}
EVERY = frozenset(ACTIVITY_TITLES)
SUBSTANCES: dict[str, tuple[frozenset[str], str | None]] = {
    "chemical_oxygen_demand": (EVERY, "cod_limit"),
    "biochemical_oxygen_demand": (EVERY, "bod_limit"),
    "suspended_solids": (EVERY, "tss_limit"),
    "turbidity": (EVERY, "tss_limit"),
    "dissolved_oxygen": (EVERY, "bod_limit"),
    "ammonium": (frozenset({"domestic", "seafood", "market", "livestock", "hospital"}), None),
    "coliform": (frozenset({"domestic", "hospital", "market", "livestock", "seafood"}), None),
    "ph": (frozenset({"industry", "seafood", "hospital"}), None),
    "salinity": (frozenset({"seafood", "industry"}), None),
    "oil": (frozenset({"industry", "seafood", "market"}), None),
    "metals": (frozenset({"industry"}), None),
}
"""Which activities let a substance go, and the column of the permit that limits it."""


@dataclass(frozen=True, eq=False)
class DischargeSources:
    """Sources, one a row of ``table``, and the node each is connected to (sources,), -1 where none is near.

    table: source_layer, source, name, activity, permit_id, permit_number, permit_status, daily_volume [m3/d],
    water_body_id, bod_limit, cod_limit, tss_limit [mg/L], geometry (a point).
    """

    table: gpd.GeoDataFrame
    nodes: Index

    def hold(self, substance: str) -> NDArray[np.bool_]:
        """Return which sources can let a substance go (sources,); where the activity is not known, it can."""
        activities, _ = SUBSTANCES[substance]
        known = self.table["activity"]
        return (known.isna() | known.isin(list(activities))).to_numpy(bool)


def read_sources(city: CityView, network: CityGraph) -> DischargeSources:
    """Return permitted discharges, and works and clinics, with the nodes they are connected to.

    A permit whose outlet stands at the bank of its receiving water is connected to no drain, but its works may be. A
    building whose permit is connected itself is left out.
    """
    permits = city.layer(PERMITS, columns=_OF_PERMITS).rename(columns={"facility": "name", "status": "permit_status"})
    permits["permit_id"] = permits["id"]
    direct = _find_direct(city, permits)
    houses = city.layer(BUILDINGS, columns=["name", "use"])
    houses = houses[houses["use"].isin(list(OF_BUILDINGS))]
    named = houses["name"].notna()
    through_drains = permits["name"][~direct].dropna().tolist()
    houses = houses[~(named & houses["name"].isin(through_drains))]
    licensed = permits[direct].drop_duplicates("name").dropna(subset=["name"]).set_index("name")
    of_permit = {name: houses["name"].map(licensed[name]) for name in _SHARED}
    works = gpd.GeoDataFrame(
        {
            "id": houses["id"], "name": houses["name"], "activity": houses["use"].map(OF_BUILDINGS), **of_permit,
            "source_layer": BUILDINGS,
        },
        geometry=shapely.point_on_surface(houses.geometry.to_numpy()),
        crs=city.crs,
    )  # fmt: skip
    parts = [part for part in (permits.assign(source_layer=PERMITS), works) if len(part)]
    table = pd.concat(parts, ignore_index=True) if parts else permits.assign(source_layer=PERMITS)
    frame = gpd.GeoDataFrame(table.rename(columns={"id": "source"}), geometry="geometry", crs=city.crs)
    xy = shapely.get_coordinates(frame.geometry.to_numpy())
    nodes = np.full(len(frame), -1, np.int32)
    if network.graph.node_count and len(frame):
        away, nearest = cKDTree(network.node_xy).query(xy)
        nodes = np.where(away <= NODE_REACH, nearest, -1).astype(np.int32)
        nodes[np.flatnonzero(direct)] = -1
    return DischargeSources(frame, nodes)


def _find_direct(city: CityView, permits: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Return which permits let go straight into the water body they name (permits,)."""
    bodies = city.layer("water_bodies", columns=[])
    shapes = dict(zip(bodies["id"], bodies.geometry, strict=True))
    return np.array(
        [
            body in shapes and shapes[body].distance(point) <= BANK
            for body, point in zip(permits["water_body_id"].tolist(), permits.geometry, strict=True)
        ],
        np.bool_,
    )
