"""Faults planted on purpose, such as every real inventory has: what the rules of quality must find.

Each is said in the ``note`` of what it spoils where the layer has one, and listed in ``docs/demo.md``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import shapely

from layers.schema import Text
from twin.demo.plan import Flags
from twin.demo.pressure_loggers import LEAK_DAYS, find_leaking_pipe
from twin.demo.shapes import Table

GAP = 0.8


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault: the layer and item it spoils, its kind, and what is wrong in words."""

    layer: str
    item: str
    kind: str
    says: Text


def plant_faults(tables: Mapping[str, Table]) -> list[Fault]:
    """Spoil some items of ``tables`` in place and return what was done."""
    faults = []
    for plant in _PLANTERS:
        fault = plant(tables)
        columns = tables[fault.layer].columns
        if "note" not in columns and fault.layer in NOTED:
            columns["note"] = np.full(len(tables[fault.layer]), None, object)
        if "note" in columns:
            columns["note"][columns["id"] == fault.item] = f"Lỗi cài sẵn: {fault.says.vi}"
        faults.append(fault)
    return faults


def _pick(fits: Flags, share: float) -> int:
    """Return the one at ``share`` (0…1) of those that fit: the same of the same city."""
    found = np.flatnonzero(fits)
    return int(found[int(share * (len(found) - 1))])


def _stick_valve(tables: Mapping[str, Table]) -> Fault:
    valves = tables["water_valves"].columns
    k = _pick((valves["valve_type"] == "isolation") & (valves["normal_status"] == "open"), 0.31)
    valves["status"][k] = "stuck"
    valves["is_operable"][k] = False
    valves["condition"][k] = "failed"
    says = Text("van chặn bị kẹt khi mở, không đóng được", "an isolation valve is stuck open")
    return Fault("water_valves", valves["id"][k], "stuck_valve", says)


def _forget_valve(tables: Mapping[str, Table]) -> Fault:
    valves = tables["water_valves"].columns
    k = _pick((valves["valve_type"] == "isolation") & (valves["normal_status"] == "open"), 0.62)
    valves["status"][k] = "closed"
    says = Text("van thường mở nhưng còn đóng sau sửa chữa", "a normally open valve was left closed after a repair")
    return Fault("water_valves", valves["id"][k], "wrong_position", says)


def _cut_pipe(tables: Mapping[str, Table]) -> Fault:
    pipes = tables["water_pipes"]
    k = _pick((pipes.columns["pipe_type"] == "service") & (shapely.length(pipes.geometry) > 30.0), 0.5)
    line = pipes.geometry[k]
    xy = shapely.get_coordinates(line)
    xy[-1] = np.round(shapely.get_coordinates(line.interpolate(line.length - GAP))[0], 3)
    pipes.geometry[k] = shapely.LineString(xy)
    says = Text(f"ống hụt {GAP:g} m, không chạm nút cuối".replace(".", ","), f"a pipe ends {GAP:g} m short of its node")
    return Fault("water_pipes", pipes.columns["id"][k], "dangling_pipe", says)


def _lose_node(tables: Mapping[str, Table]) -> Fault:
    pipes = tables["water_pipes"].columns
    k = _pick(pipes["pipe_type"] == "service", 0.83)
    pipes["to_node"][k] = "WN-99999"
    says = Text("nút cuối ghi trong hồ sơ không tồn tại", "the node it names at its end does not exist")
    return Fault("water_pipes", pipes["id"][k], "unknown_node", says)


def _widen_pipe(tables: Mapping[str, Table]) -> Fault:
    pipes = tables["water_pipes"].columns
    k = _pick(pipes["diameter"] == 0.15, 0.44)
    pipes["diameter"][k] = 1.5
    says = Text("đường kính nhập sai đơn vị (1,5 m thay vì 150 mm)", "diameter in the wrong unit (1.5 m, not 150 mm)")
    return Fault("water_pipes", pipes["id"][k], "wrong_unit", says)


def _flood_transformer(tables: Mapping[str, Table]) -> Fault:
    transformers = tables["transformers"].columns
    k = _pick(transformers["mounting"] == "pad", 0.5)
    transformers["base_elevation"][k] = 0.35
    says = Text("thiết bị đặt thấp hơn mặt đất", "live equipment below the ground")
    return Fault("transformers", transformers["id"][k], "below_ground", says)


def _overfill_cabinet(tables: Mapping[str, Table]) -> Fault:
    cabinets = tables["telecom_cabinets"].columns
    k = _pick(cabinets["cabinet_type"] == "distribution", 0.7)
    cabinets["used_ports"][k] = cabinets["ports"][k] + 12
    says = Text("số cổng đã dùng lớn hơn số cổng", "more ports in use than there are")
    return Fault("telecom_cabinets", cabinets["id"][k], "over_capacity", says)


def _overstay_permit(tables: Mapping[str, Table]) -> Fault:
    permits = tables["discharge_permits"].columns
    k = _pick(permits["status"] == "expired", 0.5)
    permits["status"][k] = "valid"
    says = Text("giấy phép ghi còn hiệu lực nhưng đã quá hạn", "a permit said to be valid after its day")
    return Fault("discharge_permits", permits["id"][k], "contradiction", says)


def _misplace_address(tables: Mapping[str, Table]) -> Fault:
    addresses = tables["addresses"].columns
    k = _pick(addresses["ward_code"] == "99001", 0.4)
    addresses["ward_code"][k] = "99005"
    says = Text("mã phường không khớp vị trí", "its ward code is not the ward it lies in")
    return Fault("addresses", addresses["id"][k], "wrong_ward", says)


def _double_address(tables: Mapping[str, Table]) -> Fault:
    addresses = tables["addresses"].columns
    k = _pick(addresses["ward_code"] == "99003", 0.6)
    for name in ("house_number", "alley", "street", "street_code", "full_address", "former_address"):
        addresses[name][k] = addresses[name][k - 1]
    says = Text("trùng địa chỉ với nhà bên", "the same address as its neighbour")
    return Fault("addresses", addresses["id"][k], "duplicate", says)


def _leak_pipe(tables: Mapping[str, Table]) -> Fault:
    says = Text(
        f"ống bị rò 18 m³/h, bắt đầu {LEAK_DAYS} ngày trước khi hết số đo",
        f"a pipe leaks 18 m³/h since {LEAK_DAYS} days before the readings end",
    )
    return Fault("water_pipes", tables["water_pipes"].columns["id"][find_leaking_pipe(tables)], "leak", says)


NOTED = ("water_valves", "water_pipes", "transformers", "telecom_cabinets")
_PLANTERS: tuple[Callable[[Mapping[str, Table]], Fault], ...] = (
    _stick_valve, _forget_valve, _cut_pipe, _lose_node, _widen_pipe, _flood_transformer, _overfill_cabinet,
    _overstay_permit, _misplace_address, _double_address, _leak_pipe,
)  # fmt: skip
