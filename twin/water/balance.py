"""The water balance of every metered area: inflow, use, losses, night flow and what the graph says of its boundary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layers.errors import NotFoundError
from network.water_losses import (
    Group,
    IwaBalance,
    WaterUse,
    balance_water,
    estimate_unavoidable,
    find_night_flow,
    grade_leakage,
    is_fitted,
    measure_night_day,
)
from twin.process import CityView
from twin.water.areas import (
    Crossing,
    Inflow,
    Objects,
    check_boundary,
    count_pieces,
    find_crossings,
    list_crossings_of,
    read_inflow,
)
from twin.water.network import WaterNetwork, list_rows

Array = NDArray[np.float64]
DAY = 86_400.0
NIGHT = slice(2, 4)
MOST_AREAS = 5000


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a utility tells or assumes of its areas; see network.water_losses.WaterUse for the shares.

    household_night, other_night: legitimate use of a connection at night [l/h]. exponent: how leaks follow pressure.
    service_length: pipe on private ground for each connection [m].
    """

    unbilled_share: float
    unauthorised_share: float
    meter_error: float
    data_error: float
    household_night: float
    other_night: float
    exponent: float
    service_length: float
    group: Group
    offset_s: float


@dataclass(frozen=True, slots=True, eq=False)
class AreaBalance:
    """All that is known of one area; figures it has no data for are None."""

    id: str
    name: str
    balance: IwaBalance | None
    source: str
    connections: int
    mains_length: float
    pressure: float | None
    night_flow: float | None
    night_use: float
    night_leakage: float | None
    night_day: float | None
    unavoidable: float | None
    index: float | None
    band: str
    fitted: bool
    inlets: Sequence[Mapping[str, Any]]
    unmetered: Sequence[str]
    closed: int
    outside: int
    nodes: int
    pieces: int

    @property
    def is_sound(self) -> bool:
        """Whether every open link over the boundary is metered, it is one network and no node is out of its polygon."""
        return not self.unmetered and self.outside == 0 and self.pieces == 1


def balance_areas(
    view: CityView,
    network: WaterNetwork,
    areas: Objects,
    pressures: Array,
    assumed: Assumed,
    start: datetime,
    end: datetime,
) -> list[AreaBalance]:
    """Return the balance of every area of the layer ``dmas`` between two times.

    pressures: mean of each hour of the day at every node of the network (24, nodes) [m]. Raises NotFoundError where
    there is no area.
    """
    dmas = view.layer("dmas", columns=["name", "average_inflow", "billed_use"])
    if not len(dmas):
        raise NotFoundError("the city has no district metered area", hint="type: twin load FILE --layer dmas")
    dmas = dmas.iloc[:MOST_AREAS]
    meters = view.layer("water_meters", columns=["customer_type", "average_use", "dma_id"])
    use = pd.to_numeric(meters["average_use"]).fillna(0.0)
    crossings = find_crossings(view, network, areas)
    pieces = count_pieces(network, areas)
    pipes = network.pipes
    mains = (pipes["pipe_type"] != "service") if "pipe_type" in pipes else pd.Series(True, index=pipes.index)
    pipe_area = areas[pipes["start"].to_numpy(np.int64)]
    found = []
    for area in list_rows(dmas):
        own = (meters["dma_id"] == area.id).to_numpy()
        household = own & (meters["customer_type"] == "household").to_numpy()
        inflow = read_inflow(view, area.id, crossings, start, end)
        inside = areas == area.id
        pressure = pressures[:, inside].mean(axis=1) if inside.any() else None
        found.append(
            _balance_one(
                area,
                inflow,
                billed=float(use[own].sum()) if own.any() else _known(area.billed_use),
                connections=(int(household.sum()), int(own.sum())),
                mains_length=float(pipes["length"][(pipe_area == area.id) & mains.to_numpy()].sum()),
                pressure=pressure,
                assumed=assumed,
                crossings=list_crossings_of(area.id, crossings),
                outside=check_boundary(area.id, areas, network, dmas),
                nodes=int(inside.sum()),
                pieces=pieces.get(area.id, 0),
            )
        )
    return found


def _known(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _balance_one(
    area: Any,
    inflow: Inflow | None,
    *,
    billed: float | None,
    connections: tuple[int, int],
    mains_length: float,
    pressure: Array | None,
    assumed: Assumed,
    crossings: Sequence[tuple[Crossing, float]],
    outside: int,
    nodes: int,
    pieces: int,
) -> AreaBalance:
    households, total = connections
    system_input = float(inflow.flow.mean()) * DAY if inflow is not None else _known(area.average_inflow)
    source = "meters" if inflow is not None else "average_inflow" if system_input is not None else "none"
    balance = None
    if system_input is not None and billed is not None:
        use = WaterUse(
            max(system_input, 0.0),
            billed,
            unbilled_unmetered_share=assumed.unbilled_share,
            unauthorised_share=assumed.unauthorised_share,
            meter_error=assumed.meter_error,
            data_error=assumed.data_error,
        )
        balance = balance_water(use)
    night_use = (households * assumed.household_night + (total - households) * assumed.other_night) / 3.6e6
    night_flow = night_leakage = factor = None
    if inflow is not None:
        nights = find_night_flow(inflow.times, inflow.flow, offset_s=assumed.offset_s)
        night_flow = float(np.median(nights)) if nights.size else None
    if night_flow is not None and pressure is not None:
        factor = measure_night_day(pressure, night=NIGHT, exponent=assumed.exponent)
        night_leakage = max(night_flow - night_use, 0.0) * 3600.0 * factor
    mean = float(pressure.mean()) if pressure is not None else None
    unavoidable = None
    if mean is not None:
        unavoidable = estimate_unavoidable(
            mains_km=mains_length / 1000.0,
            connections=total,
            private_km=total * assumed.service_length / 1000.0,
            pressure=mean,
        )
    index = balance.real_losses / unavoidable if balance is not None and unavoidable else None
    return AreaBalance(
        id=area.id,
        name=area.name,
        balance=balance,
        source=source,
        connections=total,
        mains_length=mains_length,
        pressure=mean,
        night_flow=night_flow,
        night_use=night_use,
        night_leakage=night_leakage,
        night_day=factor,
        unavoidable=unavoidable,
        index=index,
        band=grade_leakage(np.nan if index is None else index, assumed.group),
        fitted=mean is not None and is_fitted(mains_km=mains_length / 1000.0, connections=total, pressure=mean),
        inlets=[
            {"layer": crossing.layer, "id": crossing.id, "sensor": crossing.sensor, "inward": sign > 0.0}
            for crossing, sign in crossings
            if crossing.is_open
        ],
        unmetered=[crossing.id for crossing, _ in crossings if crossing.is_open and crossing.sensor is None],
        closed=sum(not crossing.is_open for crossing, _ in crossings),
        outside=outside,
        nodes=nodes,
        pieces=pieces,
    )


def frame_balances(view: CityView, found: Sequence[AreaBalance]) -> gpd.GeoDataFrame:
    """Return the layer ``dma_balances``."""
    shapes = view.layer("dmas", columns=["name"]).set_index("id").geometry
    rows = [_row(area) for area in found]
    return gpd.GeoDataFrame(rows, geometry=[shapes[area.id] for area in found], crs=view.crs)


def _row(area: AreaBalance) -> dict[str, Any]:
    balance = area.balance

    def part(name: str, digits: int = 2) -> float | None:
        return None if balance is None else round(float(getattr(balance, name)), digits)

    return {
        "id": area.id,
        "dma_id": area.id,
        "name": area.name,
        "ili_band": area.band,
        "system_input": part("system_input"),
        "billed_metered": part("billed_metered"),
        "billed_unmetered": part("billed_unmetered"),
        "unbilled_authorised": part("unbilled_authorised"),
        "apparent_losses": part("apparent_losses"),
        "real_losses": part("real_losses"),
        "non_revenue_water": part("non_revenue_water"),
        "nrw_share": None if balance is None else round(min(max(balance.non_revenue_share, 0.0), 1.0), 4),
        "night_flow": _round(area.night_flow, 6),
        "night_use": _round(area.night_use, 6),
        "night_leakage": _round(area.night_leakage, 2),
        "average_pressure": _round(area.pressure, 2),
        "unavoidable_losses": _round(area.unavoidable, 2),
        "ili": None if area.index is None else round(max(area.index, 0.0), 2),
        "mains_length": round(area.mains_length, 1),
        "connections": area.connections,
        "inlets": len(area.inlets),
        "boundary_sound": area.is_sound,
        "inflow_source": area.source,
    }


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def tabulate_balances(found: Sequence[AreaBalance]) -> list[dict[str, Any]]:
    """Return the table of the areas, as a run publishes it: the layer's figures and what the boundary is made of."""
    return [
        {
            **{name: value for name, value in _row(area).items() if name != "id"},
            "uarl_is_fitted": area.fitted,
            "night_day_factor": _round(area.night_day, 2),
            "inlet_links": list(area.inlets),
            "unmetered_links": list(area.unmetered)[:50],
            "closed_links": area.closed,
            "nodes": area.nodes,
            "pieces": area.pieces,
            "nodes_outside_polygon": area.outside,
        }
        for area in found
    ]


def sum_balances(found: Sequence[AreaBalance]) -> dict[str, Any]:
    """Return the balance of all areas together [m3/d], those without data left out."""
    known = [area for area in found if area.balance is not None]
    names = (
        "system_input", "billed_metered", "billed_unmetered", "unbilled_metered", "unbilled_unmetered",
        "billed_authorised", "unbilled_authorised", "authorised", "unauthorised", "metering_inaccuracies",
        "data_handling", "apparent_losses", "real_losses", "water_losses", "non_revenue_water",
    )  # fmt: skip
    totals = {name: round(sum(float(getattr(area.balance, name)) for area in known), 2) for name in names}
    unavoidable = sum(area.unavoidable or 0.0 for area in known)
    given = totals["system_input"]
    return {
        **totals,
        "nrw_share": round(totals["non_revenue_water"] / given, 4) if given > 0.0 else None,
        "unavoidable_losses": round(unavoidable, 2),
        "ili": round(totals["real_losses"] / unavoidable, 2) if unavoidable > 0.0 else None,
        "areas": len(known),
        "areas_without_data": len(found) - len(known),
    }
