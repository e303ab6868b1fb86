"""Lighting faults: the smallest set of failed fuses, cabinets, cables or lamps that explains the dark lamps."""

from datetime import datetime
from typing import Annotated, Any

import geopandas as gpd
from pydantic import Field

from layers.errors import InputError
from layers.schema import Text
from twin.lighting.controllers import read_controllers
from twin.lighting.supply import PowerSupply, read_supply
from twin.networks.circuits import LightingCircuits, read_circuits
from twin.networks.lamps_dark import SURE, TOLD, Device, Diagnosis, LampReport, diagnose
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe

MOST_REPORTS = 20_000
LampId = Annotated[str, Field(min_length=1, max_length=80)]
KIND_TITLES = {
    "lamp": Text("bộ đèn", "lamp"),
    "phase": Text("cầu chì một pha", "fuse of phase"),
    "fuse": Text("cầu chì của mạch", "fuse of circuit"),
    "cabinet": Text("tủ", "cabinet"),
    "cable": Text("đoạn cáp", "cable"),
    "transformer": Text("trạm biến áp", "transformer"),
    "line": Text("xuất tuyến", "feeder"),
    "substation": Text("trạm nguồn", "substation"),
}


class CircuitFaultsInputs(Inputs):
    """What was seen of the lamps."""

    dark: tuple[LampId, ...] = describe(
        Text("Đèn tắt", "Dark lamps"),
        Text("Mã các đèn mà tổ sửa chữa thấy tắt.", "Ids of lamps that the crew saw dark."),
        default=(),
        max_length=MOST_REPORTS,
    )
    lit: tuple[LampId, ...] = describe(
        Text("Đèn sáng", "Lit lamps"),
        Text("Mã các đèn mà tổ sửa chữa thấy sáng.", "Ids of lamps that the crew saw lit."),
        default=(),
        max_length=MOST_REPORTS,
    )
    reported: tuple[LampId, ...] = describe(
        Text("Người dân báo tắt", "Reported by citizens"),
        Text("Mã các đèn do người dân báo tắt; có thể nhầm.", "Ids of lamps citizens say are dark; they may be wrong."),
        default=(),
        max_length=MOST_REPORTS,
    )
    controllers: bool = describe(
        Text("Hỏi bộ điều khiển", "Ask controllers"),
        Text("Cũng dùng số đo của bộ điều khiển đèn và tủ.", "Use the readings of controllers of lamps and cabinets."),
        default=True,
    )
    at: datetime | None = describe(
        Text("Lúc", "At"), Text("Thời điểm của số đo; bỏ trống là bây giờ.", "Time of the readings; without it, now."),
        default=None,
    )  # fmt: skip


def compute(city: CityView, inputs: CircuitFaultsInputs, progress: Progress) -> Outputs:
    """Return the failures that explain the reports. Raises InputError for a lamp that is not there."""
    at = inputs.at or city.now
    if at.tzinfo is None:
        raise InputError(f"time '{at}' has no zone", hint="such as 2026-11-28T19:00:00+07:00")
    progress.report(0.1, "mạch chiếu sáng — circuits")
    circuits = read_circuits(city)
    supply = _read_supply(city)
    progress.report(0.5, "các báo cáo — reports")
    both = sorted(set(inputs.dark) & set(inputs.lit))
    if both:
        raise InputError(f"lamp '{both[0]}' is said to be dark and lit", hint="name it once")
    seen = LampReport(_find_rows(circuits, inputs.dark), _find_rows(circuits, inputs.lit), SURE)
    citizens = LampReport(_find_rows(circuits, inputs.reported), (), TOLD)
    asked = read_controllers(city, circuits, at) if inputs.controllers else None
    reports = [seen, *([asked.lamps] if asked else []), citizens]
    found = diagnose(circuits, supply, reports, dark_cabinets=asked.cabinets if asked else ())
    dark = {row for report in reports for row in report.dark}
    return Outputs(
        title=Text(f"Sự cố chiếu sáng: {len(found.failures)}", f"Lighting faults: {len(found.failures)}"),
        base_time=at,
        horizon_hours=0.0,
        features={"circuit_faults": _to_features(city, circuits, found)},
        summary={
            "failures": [
                {
                    "check_first": number, "kind": each.device.kind, "id": each.device.item,
                    "explains": len(each.explains), "lamps": each.lamps, "power": round(each.power, 1),
                    "alternatives": [f"{other.kind} {other.item}" for other in each.alternatives],
                }
                for number, each in enumerate(found.failures[:200], 1)
            ],
            "failure_count": len(found.failures),
            "dark": len(dark),
            "lit": len({row for report in reports for row in report.lit} - dark),
            "wrong_reports": circuits.lamps["id"].to_numpy(object)[list(found.wrong)].tolist(),
            "controllers_asked": asked.asked if asked else 0,
            "controllers_silent": asked.silent if asked else 0,
            "unresolved": circuits.network.unresolved,
        },
        parameters={"wrong_report_cost": {"crew_and_controllers": SURE, "citizens": TOLD}},
    )  # fmt: skip


def _find_rows(circuits: LightingCircuits, ids: tuple[str, ...]) -> tuple[int, ...]:
    rows, missing = circuits.find_lamps(ids)
    if missing:
        raise InputError(f"there is no luminaire '{missing[0][:80]}'", hint="name lamps by the id of layer luminaires")
    return tuple(rows.tolist())


def _read_supply(city: CityView) -> PowerSupply | None:
    supply = read_supply(city)
    return supply if supply.network.graph.link_count else None


def _to_features(city: CityView, circuits: LightingCircuits, found: Diagnosis) -> gpd.GeoDataFrame:
    names = dict(zip(circuits.cabinets["id"], circuits.cabinets["name"], strict=True))
    ids = circuits.lamps["id"].to_numpy(object)
    rows: list[dict[str, Any]] = [
        {
            "id": str(number),
            "kind": each.device.kind,
            "asset_layer": each.device.layer or None,
            "asset_id": each.device.item,
            "asset_name": names.get(each.device.item),
            "check_first": number,
            "explains": len(each.explains),
            "lamps": each.lamps,
            "power": round(each.power, 1),
            "reports": ", ".join(ids[list(each.explains[:50])].tolist()) or None,
            "alternatives": "; ".join(_say(other) for other in each.alternatives) or None,
            "cabinet_id": each.cabinet or None,
            "circuit_id": each.circuit or None,
        }
        for number, each in enumerate(found.failures, 1)
    ]
    columns = [
        "id", "kind", "asset_layer", "asset_id", "asset_name", "check_first", "explains", "lamps", "power", "reports",
        "alternatives", "cabinet_id", "circuit_id",
    ]  # fmt: skip
    frame = gpd.GeoDataFrame(rows, columns=columns, geometry=[each.point for each in found.failures], crs=city.crs)
    return frame


def _say(device: Device) -> str:
    title = KIND_TITLES[device.kind]
    return f"{title.vi} {device.item} ({title.en})"


PROCESS = Process(
    id="circuit-faults",
    title=Text("Tìm sự cố chiếu sáng", "Lighting faults"),
    description=Text(
        "Cầu chì, tủ, đoạn cáp, trạm biến áp hay bộ đèn nào hỏng thì giải thích được các đèn đang tắt.",
        "Which failed fuse, cabinet, cable, transformer or lamp explains the lamps that are dark.",
    ),
    inputs=CircuitFaultsInputs,
    outputs=("circuit_faults",),
    compute=compute,
    immediate=True,
)
