"""The demo's other sensors: flow, water, air, lights, traffic, bins, bays and meters, each at what it watches."""

from collections.abc import Mapping

import numpy as np
import shapely

from twin.demo.lighting_meters import METERS, find_load
from twin.demo.plan import Flags, Floats, Ints
from twin.demo.pressure_loggers import AREA, place_loggers
from twin.demo.shapes import Table
from twin.demo.stations import Station
from twin.demo.traffic_counters import place_counters
from twin.demo.water_meters import place_water_meters

FLOW_GAUGES = ("S-BANXANH-02", "S-SAY-02")
_METRES_BESIDE = 3.0


def place_devices(tables: Mapping[str, Table], stations: list[Station]) -> list[Station]:
    """Return some sensors of every kind that no gauge is, beside the items of ``tables`` they watch."""
    gauges = {station.id: station for station in stations}
    devices = [_measure_flow(gauges[name], number) for number, name in enumerate(FLOW_GAUGES, 1)]
    devices += _watch_waters(tables["monitoring_stations"], gauges)
    places = tables["monitoring_stations"]
    media = places.columns["medium"]
    devices += _watch(places, "monitoring_stations", "groundwater", "S-NN", "Giếng", "Well", media == "groundwater", 2)
    devices += _watch(places, "monitoring_stations", "air_quality", "S-KK", "Không khí", "Air", media == "air", 3)
    permits = tables["discharge_permits"]
    valid = permits.columns["status"] == "valid"
    devices += _watch(
        permits, "discharge_permits", "licensed_discharge", "S-XT", "Xả thải", "Discharge", valid, 3,
        permits.columns["daily_volume"],
    )  # fmt: skip
    for layer, column, prefix, name_vi, name_en, count in (
        ("lighting_cabinets", "rated_power", "S-DEN-T", "Tủ đèn", "Lighting cabinet", 4),
        ("luminaires", "power", "S-DEN-L", "Đèn", "Luminaire", 2),
    ):
        lights = tables[layer]
        scale = lights.columns[column]
        devices += _watch(lights, layer, "light", prefix, name_vi, name_en, _all(lights), count, scale)
    devices += place_counters(tables["road_links"])
    for layer, kind, prefix, name_vi, name_en in (
        ("waste_bins", "bin_level", "S-RAC", "Thùng rác", "Bin"),
        ("parking_spaces", "parking_bay", "S-DO", "Chỗ đỗ", "Bay"),
    ):
        table = tables[layer]
        fitted = table.columns["has_sensor"].astype(bool)
        devices += _watch(table, layer, kind, prefix, name_vi, name_en, fitted, 4)
    feeders, houses = tables["substations"], tables["buildings"]
    floor = shapely.area(houses.geometry) * houses.columns["storeys"]
    for table, layer, prefix, load, chosen in (
        (feeders, "substations", "S-CT-T", 0.5e3 * feeders.columns["rated_power"], _all(feeders)),
        (houses, "buildings", "S-CT-N", 25.0 * floor, np.isin(houses.columns["use"], ["hospital", "public", "school"])),
    ):
        devices += _watch(table, layer, "electricity_meter", prefix, "Công tơ", "Meter", chosen, 2, load)
    boxes = tables["lighting_cabinets"]
    devices += _watch(
        boxes, "lighting_cabinets", "electricity_meter", "S-CT-D", "Công tơ", "Meter", _all(boxes), METERS,
        find_load(tables["luminaires"], boxes),
    )  # fmt: skip
    meters = place_water_meters(tables)
    valves = tables["water_valves"].columns
    [inlet] = valves["id"][(valves["valve_type"] == "prv") & (valves["dma_id"] == AREA)]
    still = next(meter.still for meter in meters if meter.watched_id == inlet)
    return [*devices, *meters, *place_loggers(tables, still)]


def _watch(
    table: Table, layer: str, kind: str, prefix: str, name_vi: str, name_en: str, chosen: Flags, count: int,
    scale: Floats | None = None,
) -> list[Station]:  # fmt: skip
    """Return ``count`` sensors at chosen items, spread evenly over the table; ``scale`` is how large each item is."""
    rows = np.flatnonzero(chosen)
    picked: Ints = rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(np.int64)]
    names = [str(table.columns["id"][row]) for row in picked]
    return [
        Station(
            f"{prefix}-{number:02d}", f"{name_vi} {name}", f"{name_en} {name}", kind,
            _stand(table.geometry[row]), layer, name, scale=1.0 if scale is None else float(scale[row]),
        )
        for number, (row, name) in enumerate(zip(picked.tolist(), names, strict=True), 1)
    ]  # fmt: skip


def _watch_waters(places: Table, gauges: Mapping[str, Station]) -> list[Station]:
    """Return water quality probes at the gauges that stations for surface water lie beside."""
    beside = [str(name) for name in places.columns["sensor_id"] if name is not None][:3]
    found = [gauges[name] for name in beside]
    return [
        Station(
            f"S-CLN-{number:02d}", f"Chất lượng nước {gauge.name}", f"Water quality at {gauge.name_en}",
            "water_quality", _move(gauge.point), gauge.watched_layer, gauge.watched_id, gauge.inland, gauge.gated,
        )
        for number, gauge in enumerate(found, 1)
    ]  # fmt: skip


def _measure_flow(gauge: Station, number: int) -> Station:
    return Station(
        f"S-LL-{number:02d}", f"Lưu lượng {gauge.name}", f"Discharge at {gauge.name_en}", "flow",
        _move(gauge.point), gauge.watched_layer, gauge.watched_id, gauge.inland, gauge.gated,
    )  # fmt: skip


def _all(table: Table) -> Flags:
    return np.ones(len(table), bool)


def _stand(shape: shapely.Point | shapely.LineString | shapely.Polygon) -> shapely.Point:
    """Return a point of the item: the middle of a line, a point within an area, the point itself."""
    is_line = isinstance(shape, shapely.LineString)
    point = shape.interpolate(0.5, normalized=True) if is_line else shape.representative_point()
    return shapely.Point(round(point.x, 3), round(point.y, 3))


def _move(point: shapely.Point) -> shapely.Point:
    return shapely.Point(round(point.x + _METRES_BESIDE, 3), point.y)
