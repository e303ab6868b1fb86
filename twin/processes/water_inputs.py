"""What runs of the water network are asked: time, demands, what is closed, how customers are served."""

from datetime import datetime
from typing import Literal

from pydantic import model_validator

from layers.schema import Text
from twin.process import CityView, Inputs, Progress, describe
from twin.processes.flood_stage import choose_base_time
from twin.water.model import Times
from twin.water.study import Asked, Study, open_study

MOST_CHANGES = 500
"""Valves or pumps that one run changes at most."""


class WaterInputs(Inputs):
    """What every run of the water network is asked."""

    model: str | None = describe(
        Text("Mô hình đã nhập", "Imported model"),
        Text(
            "Mã của mô hình EPANET đã nhập; bỏ trống thì dựng từ các lớp.",
            "Id of an EPANET model that was imported; built from the layers if not given.",
        ),
        default=None,
        max_length=40,
    )
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
        unit="1",
        default=1.0,
        ge=0.0,
        le=10.0,
    )
    demand_model: Literal["pressure", "demand"] | None = describe(
        Text("Mô hình dùng nước", "Demand model"),
        Text(
            "Dùng nước theo áp lực, hay luôn đủ nhu cầu; bỏ trống là theo áp lực, hay như tệp của mô hình đã nhập.",
            "Customers get what the pressure lets through, or always what they ask; by pressure, or as the file of an "
            "imported model says, if not given.",
        ),
        choices={
            "pressure": Text("Theo áp lực", "Driven by pressure"),
            "demand": Text("Luôn đủ nhu cầu", "Driven by demand"),
        },
        default=None,
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
    pump_hours: tuple[str, ...] = describe(
        Text("Giờ chạy bơm", "Hours of pumps"),
        Text(
            "Mã bơm rồi giờ chạy, các bơm cách nhau bằng dấu phẩy: B1 22:00-04:00 11:00-13:00, B2 05:00-22:00.",
            "Id of a pump and when it runs, pumps apart by commas: B1 22:00-04:00 11:00-13:00, B2 05:00-22:00.",
        ),
        default=(),
        max_length=MOST_CHANGES,
    )

    @model_validator(mode="after")
    def _check_changes(self) -> "WaterInputs":
        for one, other in (("closed", "opened"), ("pumps_off", "pumps_on")):
            both = set(getattr(self, one)) & set(getattr(self, other))
            if both:
                raise ValueError(f"'{min(both)[:80]}' is in both {one} and {other}")
        self.list_hours()
        return self

    def list_hours(self) -> dict[str, str]:
        """Return the hours of each pump in ``pump_hours``; ValueError names one that is written otherwise."""
        hours: dict[str, str] = {}
        for entry in self.pump_hours:
            pump, *spans = entry.split()[:MOST_CHANGES] or [""]
            if not spans or pump in hours:
                raise ValueError(f"'{entry[:60]}' in pump_hours is not one pump's id and its hours, as B1 22:00-04:00")
            hours[pump] = ", ".join(spans)
        return hours

    def ask(self) -> Asked:
        """Return what is asked of a run."""
        return Asked(
            self.model, Times(self.duration_hours * 3600, self.step_minutes * 60), self.demand_from, self.demand_factor,
            self.demand_model, self.required_pressure, self.closed, self.opened, self.pumps_off, self.pumps_on,
            self.list_hours(),
        )  # fmt: skip


def prepare_study(view: CityView, inputs: WaterInputs, progress: Progress) -> Study:
    """Return the model that the inputs ask for; errors as of ``open_study``."""
    progress.report(0.0, "mạng cấp nước — water network")
    return open_study(view, inputs.ask(), choose_base_time(view, inputs.base_time, "base_time"), progress)
