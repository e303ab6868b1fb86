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

    table: source_layer, source, name, activity, permit_number, permit_status, daily_volume [m3/d], water_body_id,
    bod_limit, cod_limit, tss_limit [mg/L], geometry (a point).
    """

    table: gpd.GeoDataFrame
    nodes: Index

    def hold(self, substance: str) -> NDArray[np.bool_]:
        """Return which sources can let a substance go (sources,); where the activity is not known, it can."""
        activities, _ = SUBSTANCES[substance]
        known = self.table["activity"]
        return (known.isna() | known.isin(list(activities))).to_numpy(bool)


def read_sources(city: CityView, network: CityGraph) -> DischargeSources:
    """Return permitted discharges, and works and clinics that no permit names, with the nodes they are connected to."""
    permits = city.layer(
        PERMITS,
        columns=["permit_number", "facility", "activity", "daily_volume", "water_body_id", "status", "bod_limit",
                 "cod_limit", "tss_limit"],
    ).rename(columns={"facility": "name", "status": "permit_status"})  # fmt: skip
    houses = city.layer(BUILDINGS, columns=["name", "use"])
    houses = houses[houses["use"].isin(list(OF_BUILDINGS))]
    # A permit is told at its outlet, so that only the name leads to the building.
    houses = houses[~(houses["name"].isin(permits["name"].dropna().tolist()) & houses["name"].notna())]
    unlicensed = gpd.GeoDataFrame(
        {
            "id": houses["id"],
            "name": houses["name"],
            "activity": houses["use"].map(OF_BUILDINGS),
            "source_layer": BUILDINGS,
        },
        geometry=shapely.point_on_surface(houses.geometry.to_numpy()),
        crs=city.crs,
    )
    table = pd.concat([permits.assign(source_layer=PERMITS), unlicensed], ignore_index=True)
    frame = gpd.GeoDataFrame(table.rename(columns={"id": "source"}), geometry="geometry", crs=city.crs)
    xy = shapely.get_coordinates(frame.geometry.to_numpy())
    nodes = np.full(len(frame), -1, np.int32)
    if network.graph.node_count and len(frame):
        away, nearest = cKDTree(network.node_xy).query(xy)
        nodes = np.where(away <= NODE_REACH, nearest, -1).astype(np.int32)
    return DischargeSources(frame, nodes)
