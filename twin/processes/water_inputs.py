"""What runs of the water network are asked: time, demands, what is closed, how customers are served."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import model_validator

from layers.errors import InputError
from layers.schema import Text
from twin.process import CityView, Inputs, describe
from twin.processes.flood_stage import choose_base_time
from twin.water.areas import Objects, find_crossings, read_inflow
from twin.water.demand import DemandPlan, make_demand
from twin.water.model import Demand, Times
from twin.water.network import WaterNetwork, read_network
from twin.water.run import Driving

MOST_CHANGES = 500
"""Valves or pumps that one run changes at most."""


class WaterInputs(Inputs):
    """What every run of the water network is asked."""

    base_time: datetime | None = describe(
        Text("Thời điểm", "Time"),
        Text(
            "Mô phỏng bắt đầu lúc 0 giờ của ngày này; bỏ trống là hôm nay.",
            "The run begins at midnight of this day; today if not given.",
        ),
        default=None,
    )
    duration_hours: int = describe(
        Text("Thời gian mô phỏng", "Duration"),
        Text("Mô phỏng bao lâu.", "How long the run lasts."),
        unit="h",
        default=24,
        ge=1,
        le=720,
    )
    step_minutes: int = describe(
        Text("Bước thủy lực", "Hydraulic step"),
        Text("Bước dài nhất giữa hai lần giải.", "Longest step between two solutions."),
        unit="min",
        default=60,
        ge=1,
        le=60,
    )
    demand_from: Literal["nodes", "meters"] = describe(
        Text("Nhu cầu lấy từ", "Demands from"),
        Text(
            "Nhu cầu của nút, hay số đo của đồng hồ khách hàng cộng rò rỉ theo lưu lượng vào.",
            "The base demand of nodes, or what customers' meters use plus leaks by the metered inflow.",
        ),
        choices={"nodes": Text("Nút", "Nodes"), "meters": Text("Đồng hồ", "Meters")},
        default="nodes",
    )
    demand_factor: float = describe(
        Text("Hệ số nhu cầu", "Demand factor"),
        Text("Nhân mọi nhu cầu với số này.", "All demands are multiplied by it."),
        default=1.0,
        ge=0.0,
        le=10.0,
    )
    demand_model: Literal["pressure", "demand"] = describe(
        Text("Mô hình dùng nước", "Demand model"),
        Text(
            "Dùng nước theo áp lực, hay luôn đủ nhu cầu.",
            "Customers get what the pressure lets through, or always what they ask.",
        ),
        choices={
            "pressure": Text("Theo áp lực", "Driven by pressure"),
            "demand": Text("Luôn đủ nhu cầu", "Driven by demand"),
        },
        default="pressure",
    )
    required_pressure: float = describe(
        Text("Áp lực cần", "Required pressure"),
        Text("Áp lực mà từ đó khách hàng đủ nước.", "Pressure from which on customers get all they ask."),
        unit="m",
        default=10.0,
        ge=0.5,
        le=100.0,
    )
    closed: tuple[str, ...] = describe(
        Text("Đóng", "Closed"),
        Text("Van, ống bị đóng: mã, cách nhau bằng dấu phẩy.", "Valves and pipes that are closed: ids, by commas."),
        default=(),
        max_length=MOST_CHANGES,
    )
    opened: tuple[str, ...] = describe(
        Text("Mở", "Opened"),
        Text("Van, ống được mở: mã, cách nhau bằng dấu phẩy.", "Valves and pipes that are opened: ids, by commas."),
        default=(),
        max_length=MOST_CHANGES,
    )
    pumps_off: tuple[str, ...] = describe(
        Text("Bơm dừng", "Pumps off"),
        Text("Bơm không chạy.", "Pumps that do not run."),
        default=(),
        max_length=MOST_CHANGES,
    )
    pumps_on: tuple[str, ...] = describe(
        Text("Bơm chạy", "Pumps on"),
        Text("Bơm dự phòng được chạy.", "Pumps on standby that run."),
        default=(),
        max_length=MOST_CHANGES,
    )
    pump_hours: dict[str, str] = describe(
        Text("Giờ chạy bơm", "Hours of pumps"),
        Text(
            'Giờ chạy của từng bơm, ví dụ {"B1": "22:00-04:00, 11:00-13:00"}.',
            'When each pump runs, such as {"B1": "22:00-04:00, 11:00-13:00"}.',
        ),
        default={},
        max_length=MOST_CHANGES,
    )
    utc_offset_hours: float = describe(
        Text("Lệch so với giờ UTC", "Local time less UTC"),
        Text("Giờ địa phương của biểu đồ dùng nước.", "Local clock of the patterns of use."),
        unit="h",
        default=7.0,
        ge=-12.0,
        le=14.0,
    )

    @model_validator(mode="after")
    def _check_changes(self) -> "WaterInputs":
        for one, other in (("closed", "opened"), ("pumps_off", "pumps_on")):
            both = set(getattr(self, one)) & set(getattr(self, other))
            if both:
                raise ValueError(f"'{min(both)[:80]}' is in both {one} and {other}")
        return self

    @property
    def times(self) -> Times:
        """Duration and step of the run."""
        return Times(self.duration_hours * 3600, self.step_minutes * 60)

    @property
    def driving(self) -> Driving:
        """How customers are served."""
        return Driving(self.demand_model, self.required_pressure)


def prepare_network(view: CityView, inputs: WaterInputs) -> WaterNetwork:
    """Return the city's water network with what the inputs close, open and switch.

    Raises InputError for an unknown valve, pipe or pump.
    """
    network = read_network(view, closed=inputs.closed, opened=inputs.opened)
    pumps = network.pumps
    known = set(pumps["id"])
    for name, wanted in (
        ("pumps_off", inputs.pumps_off),
        ("pumps_on", inputs.pumps_on),
        ("pump_hours", inputs.pump_hours),
    ):
        for key in wanted:
            if key not in known:
                listed = ", ".join(sorted(known)[:20]) or "none"
                raise InputError(f"'{key[:80]}' in {name} is no pump of the water network", hint=f"there are {listed}")
    off, on = pumps["id"].isin(inputs.pumps_off), pumps["id"].isin(inputs.pumps_on)
    hours = pumps["id"].map(inputs.pump_hours)
    status = pumps["status"].fillna("running").mask(off, "standby").mask(on | hours.notna(), "running")
    network.pumps["status"] = status
    network.pumps["hours"] = hours.where(hours.notna(), pumps["hours"])
    # Hours that were asked for hold against a level that would stop the pump.
    network.pumps["control_node"] = pumps["control_node"].mask(hours.notna() | on, None)
    return network


def find_midnight(view: CityView, inputs: WaterInputs) -> datetime:
    """Return the local midnight at which a run begins."""
    shift = timedelta(hours=inputs.utc_offset_hours)
    local = choose_base_time(view, inputs.base_time, "base_time") + shift
    return local.replace(hour=0, minute=0, second=0, microsecond=0) - shift


def prepare_demand(
    view: CityView, network: WaterNetwork, areas: Objects, inputs: WaterInputs, begins: datetime
) -> Demand:
    """Return what the junctions ask, with the inflows of the four weeks before."""
    crossings = find_crossings(view, network, areas)
    inflows = {}
    for area in sorted({area for area in areas if area is not None}):
        inflow = read_inflow(view, area, crossings, begins - timedelta(days=28), begins)
        if inflow is not None:
            inflows[area] = inflow
    plan = DemandPlan(inputs.demand_from, inputs.demand_factor, inputs.utc_offset_hours * 3600.0, begins, inflows)
    return make_demand(view, network, areas, plan)
