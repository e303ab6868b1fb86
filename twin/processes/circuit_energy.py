"""Lighting energy: what each cabinet took by its meter against what its lamps should take by their programs."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np

from layers.errors import InputError
from layers.schema import Text
from twin.lighting.metering import Comparison, compare, read_metered
from twin.lighting.plan import GRADIENTS, Load, plan_loads
from twin.networks.circuits import CABINETS, LightingCircuits, read_circuits
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe

DAYS, MOST_DAYS = 30.0, 400.0
YEAR_S = 365.2425 * 86_400.0
MOST_TOLD = 2_000


class CircuitEnergyInputs(Inputs):
    """Which time is looked at, and what energy costs."""

    start: datetime | None = describe(
        Text("Từ lúc", "From"), Text("Bỏ trống: 30 ngày trước lúc cuối.", "Without it, 30 days before the end."),
        default=None,
    )  # fmt: skip
    end: datetime | None = describe(
        Text("Đến lúc", "To"), Text("Bỏ trống: giờ tròn mới nhất.", "Without it, the newest full hour."), default=None
    )
    tariff: float | None = describe(
        Text("Giá điện", "Tariff"),
        Text("Đồng mỗi kWh, chưa thuế; bỏ trống thì không tính tiền.", "VND a kWh, net; without it no cost is told."),
        unit="{VND}/kW.h",
        default=None,
        gt=0.0,
        le=1e6,
    )


def compute(city: CityView, inputs: CircuitEnergyInputs, progress: Progress) -> Outputs:
    """Return plan and meter of every cabinet. Raises InputError for a period that is none or too long."""
    start, end = _choose_period(city, inputs)
    progress.report(0.05, "mạch chiếu sáng — circuits")
    circuits = read_circuits(city)
    rows = sorted(set(circuits.lamp_cabinets[circuits.lamp_cabinets >= 0].tolist()))
    progress.report(0.2, "kế hoạch — plan")
    loads = plan_loads(city, circuits, start, end, rows)
    meters = _find_meters(city)
    found: dict[int, tuple[Comparison, float] | None] = {}
    for number, row in enumerate(rows):
        progress.report(0.3 + 0.6 * number / len(rows), "công tơ — meters")
        name = str(circuits.cabinets["id"].iat[row])
        read = next(
            (one for one in (read_metered(city, each, start, end) for each in meters.get(name, ())) if one), None
        )
        found[row] = None if read is None else (compare(loads[row], read), read.seconds)
    period = (end - start).total_seconds()
    table = [_tell(circuits, row, loads[row], found[row], period, inputs.tariff) for row in rows]
    frame = gpd.GeoDataFrame(
        table,
        columns=list(_tell_none()),
        geometry=circuits.cabinets.geometry.to_numpy()[rows],
        crs=city.crs,
    )
    metered = [each for each in table if each["metered_energy"] is not None]
    return Outputs(
        title=Text(f"Điện năng chiếu sáng, {len(rows)} tủ", f"Lighting energy of cabinets ({len(rows)})"),
        base_time=start,
        horizon_hours=period / 3600.0,
        features={"circuit_energy": frame},
        summary={
            "start": start.isoformat(), "end": end.isoformat(), "cabinets": len(rows), "metered": len(metered),
            "planned_energy": round(sum(load.energy for load in loads.values()), 1),
            "planned_energy_year": round(sum(load.energy for load in loads.values()) * YEAR_S / period, 0),
            "metered_energy": round(sum(each["metered_energy"] for each in metered), 1),
            "planned_where_metered": round(sum(each["planned_metered"] for each in metered), 1),
            "cost_year": _sum(each["cost_year"] for each in table),
            "hints": dict(Counter(each["hint"] for each in table)),
            "to_look_at": [
                {key: each[key] for key in ("cabinet_id", "hint", "deviation", "day_energy", "clock_late_hours")}
                for each in sorted(metered, key=lambda each: -abs(each["deviation"]))
                if each["hint"] != "as_planned"
            ][:MOST_TOLD],
            "circuits": _split_circuits(circuits, loads, found, period),
            "program_declared": bool(city.lamp_calendars),
        },
        parameters={"power_light_gradient": dict(GRADIENTS), "tariff": inputs.tariff},
    )  # fmt: skip


def _choose_period(city: CityView, inputs: CircuitEnergyInputs) -> tuple[datetime, datetime]:
    for given in (inputs.start, inputs.end):
        if given is not None and given.tzinfo is None:
            raise InputError(f"time '{given}' has no zone", hint="such as 2026-11-01T00:00:00+07:00")
    end = inputs.end or city.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    start = inputs.start or end - timedelta(days=DAYS)
    if not timedelta(hours=1) <= end - start <= timedelta(days=MOST_DAYS):
        raise InputError(
            f"the period from {start} to {end} is not 1 hour to {MOST_DAYS:g} days long", hint="give start and end"
        )
    return start, end


def _find_meters(city: CityView) -> dict[str, list[str]]:
    """Return the sensors at each cabinet, meters before controllers."""
    sensors = city.layer("sensors", columns=["kind", "watched_layer", "watched_id"])
    own = sensors[sensors["watched_layer"] == CABINETS]
    order = own.assign(late=own["kind"] != "electricity_meter").sort_values(["late", "id"])
    found: dict[str, list[str]] = {}
    for sensor, cabinet in zip(order["id"].tolist(), order["watched_id"].tolist(), strict=True):
        found.setdefault(str(cabinet), []).append(str(sensor))
    return found


def _tell_none() -> dict[str, Any]:
    names = (
        "id", "cabinet_id", "name", "lamps", "power", "planned_energy", "metered_energy", "planned_energy_year",
        "metered_energy_year", "cost_year", "day_energy", "deviation", "covered", "hint",
    )  # fmt: skip
    return dict.fromkeys(names)


def _tell(
    circuits: LightingCircuits, row: int, load: Load, read: tuple[Comparison, float] | None, period: float,
    tariff: float | None,
) -> dict[str, Any]:  # fmt: skip
    cabinet = circuits.cabinets.iloc[row]
    planned_year = load.energy * YEAR_S / period
    told = _tell_none() | {
        "id": cabinet["id"],
        "cabinet_id": cabinet["id"],
        "name": cabinet["name"],
        "lamps": int(np.count_nonzero(circuits.lamp_cabinets == row)),
        "power": round(load.full, 1),
        "planned_energy": round(load.energy, 2),
        "planned_energy_year": round(planned_year, 1),
        "covered": 0.0,
        "hint": "no_meter",
        "planned_metered": 0.0,
        "clock_late_hours": 0.0,
    }
    year = planned_year
    if read is not None:
        found, seconds = read
        year = found.metered * YEAR_S / seconds
        told |= {
            "metered_energy": round(found.metered, 2),
            "metered_energy_year": round(year, 1),
            "planned_metered": round(found.planned, 2),
            "day_energy": round(found.by_day, 2),
            "deviation": round(found.deviation, 4),
            "covered": round(min(seconds / period, 1.0), 4),
            "hint": found.hint,
            "clock_late_hours": found.clock_late,
        }
    told["cost_year"] = None if tariff is None else round(year * tariff)
    return told


def _split_circuits(
    circuits: LightingCircuits, loads: dict[int, Load], found: dict[int, tuple[Comparison, float] | None], period: float
) -> list[dict[str, Any]]:
    """Return the planned energy of each circuit, and by how much the meter of its cabinet differs from plan."""
    watts = circuits.lamps["power"].fillna(0.0).to_numpy(np.float64)
    names, of = np.unique(circuits.lamp_circuits.astype(str), return_inverse=True)
    power = np.bincount(of, weights=watts)
    first = np.full(names.size, -1)
    first[of[::-1]] = np.arange(of.size)[::-1]
    told = []
    for name, load_power, lamp in zip(names.tolist(), power.tolist(), first.tolist(), strict=True):
        row = int(circuits.lamp_cabinets[lamp])
        if row < 0 or not loads[row].full:
            continue
        share, read = load_power / loads[row].full, found[row]
        planned = loads[row].energy * share
        told.append(
            {
                "circuit_id": name,
                "cabinet_id": str(circuits.cabinets["id"].iat[row]),
                "planned_energy": round(planned, 2),
                "planned_energy_year": round(planned * YEAR_S / period, 1),
                "deviation_of_cabinet": None if read is None else round(read[0].deviation, 4),
            }
        )
    return told[:MOST_TOLD]


def _sum(values: Any) -> float | None:
    known = [each for each in values if each is not None]
    return float(sum(known)) if known else None


PROCESS = Process(
    id="circuit-energy",
    title=Text("Điện năng chiếu sáng so với kế hoạch", "Lighting energy against plan"),
    description=Text(
        "Điện năng mỗi tủ theo công tơ so với theo chương trình điều khiển, chênh lệch và lý do có thể, kWh và tiền "
        "một năm.",
        "Energy of each cabinet by its meter against its control programs, the difference and what may explain it, "
        "kWh and cost in a year.",
    ),
    inputs=CircuitEnergyInputs,
    outputs=("circuit_energy",),
    compute=compute,
)
