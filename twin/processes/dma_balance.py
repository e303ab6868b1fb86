"""Water balance of the metered areas: the IWA table, night flow, unavoidable losses and the leakage index of each."""

from datetime import timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError
from layers.schema import Text
from network.epanet.project import Project
from twin.process import CityView, Outputs, Process, Progress, StoppedError, describe
from twin.processes.flood_stage import choose_base_time
from twin.processes.water_inputs import WaterInputs, prepare_study
from twin.water.balance import Assumed, balance_areas, frame_balances, sum_balances, tabulate_balances
from twin.water.study import Study

_HOURS = 24


class DmaBalanceInputs(WaterInputs):
    """What a water balance is asked."""

    days: int = describe(
        Text("Số ngày", "Days"),
        Text("Lấy số đo của bao nhiêu ngày trước thời điểm.", "Readings of how many days before the time."),
        unit="d",
        default=28,
        ge=1,
        le=366,
    )
    unbilled_share: float = describe(
        Text("Tỷ lệ dùng không thu tiền", "Share of unbilled use"),
        Text("Chữa cháy, súc xả: phần của nước vào, không đo.", "Fire fighting, flushing: of the input, unmetered."),
        unit="1",
        default=0.0125,
        ge=0.0,
        le=0.5,
    )
    unauthorised_share: float = describe(
        Text("Tỷ lệ đấu nối trái phép", "Share of unauthorised use"),
        Text("Phần của nước vào bị lấy trái phép.", "Share of the input that is drawn without permission."),
        unit="1",
        default=0.0025,
        ge=0.0,
        le=0.5,
    )
    meter_error: float = describe(
        Text("Sai số đồng hồ", "Error of meters"),
        Text("Đồng hồ khách hàng ghi thiếu bao nhiêu.", "How much customers' meters read too little."),
        unit="1",
        default=0.02,
        ge=0.0,
        le=0.5,
    )
    data_error: float = describe(
        Text("Sai sót số liệu", "Data errors"),
        Text("Phần ghi thu bị mất khi xử lý số liệu.", "Share of the billed that is lost in handling data."),
        unit="1",
        default=0.0025,
        ge=0.0,
        le=0.5,
    )
    household_night_use: float = describe(
        Text("Dùng đêm mỗi hộ", "Night use of a household"),
        Text("Dùng hợp lệ từ 2 đến 4 giờ sáng mỗi đấu nối hộ gia đình.", "Legitimate use of a connection, 2 to 4 h."),
        unit="L/h",
        default=1.7,
        ge=0.0,
        le=1000.0,
    )
    other_night_use: float = describe(
        Text("Dùng đêm mỗi khách hàng khác", "Night use of another customer"),
        Text("Dùng hợp lệ từ 2 đến 4 giờ sáng mỗi đấu nối khác.", "Legitimate use of any other connection, 2 to 4 h."),
        unit="L/h",
        default=8.0,
        ge=0.0,
        le=10_000.0,
    )
    n1: float = describe(
        Text("Số mũ rò rỉ N1", "Leakage exponent N1"),
        Text("Rò rỉ tỷ lệ với áp lực mũ N1.", "Leakage goes with pressure to the power N1."),
        unit="1",
        default=1.0,
        ge=0.5,
        le=2.5,
    )
    service_length: float = describe(
        Text("Ống sau ranh đất mỗi đấu nối", "Pipe on private ground"),
        Text("Chiều dài ống từ ranh đất đến đồng hồ.", "From the edge of the property to the meter, each connection."),
        unit="m",
        default=0.0,
        ge=0.0,
        le=1000.0,
    )
    country_group: Literal["developed", "developing"] = describe(
        Text("Nhóm nước", "Group of countries"),
        Text("Ngưỡng của các mức A1–D.", "Thresholds of the bands A1–D."),
        choices={"developed": Text("Phát triển", "Developed"), "developing": Text("Đang phát triển", "Developing")},
        default="developing",
    )

    def assume(self, offset_s: float) -> Assumed:
        """Return the shares and night use as the balance takes them; ``offset_s``: local time less UTC [s]."""
        return Assumed(
            self.unbilled_share, self.unauthorised_share, self.meter_error, self.data_error, self.household_night_use,
            self.other_night_use, self.n1, self.service_length, self.country_group, offset_s,
        )  # fmt: skip


def compute(view: CityView, inputs: DmaBalanceInputs, progress: Progress) -> Outputs:
    """Return the balance of every area. Raises NotFoundError without any, InputError for a network that cannot run."""
    study = prepare_study(view, inputs, progress)
    end = choose_base_time(view, inputs.base_time, "base_time")
    progress.report(0.2, "áp lực theo giờ — pressures by the hour")
    pressures = _list_pressures(study, progress)
    if progress.should_stop():
        raise StoppedError
    progress.report(0.6, "cân bằng nước — water balance")
    start = end - timedelta(days=inputs.days)
    offset = (end.astimezone(view.zone).utcoffset() or timedelta()).total_seconds()
    found = balance_areas(view, study.network, study.areas, pressures, inputs.assume(offset), start, end)
    total = sum_balances(found)
    return Outputs(
        title=Text(f"Cân bằng nước {inputs.days} ngày", f"Water balance of {inputs.days} days"),
        base_time=start,
        horizon_hours=24.0 * inputs.days,
        features={"dma_balances": frame_balances(view, found)},
        summary={"total": total, "areas": tabulate_balances(found)},
        parameters={"period": [start.isoformat(), end.isoformat()], "n1": inputs.n1},
    )


def _list_pressures(study: Study, progress: Progress) -> NDArray[np.float64]:
    """Return the mean pressure of each hour of the day at every node of the network (24, nodes) [m]."""
    total, count = np.zeros((_HOURS, len(study.network.nodes))), np.zeros(_HOURS)
    order: list[NDArray[np.int64]] = []

    def observe(time: int, project: Project) -> None:
        if not order:
            order.append(project.nodes.find(study.model.nodes))
        total[time // 3600 % _HOURS] += project.pressures()[order[0]].clip(0.0)
        count[time // 3600 % _HOURS] += 1.0

    study.solve(progress, observe=observe)
    if not (count > 0).all():
        raise InputError("the run lasts less than a day, expected at least 24 h for pressures by the hour")
    return total / count[:, None]


PROCESS = Process(
    id="dma-balance",
    title=Text("Cân bằng nước theo DMA", "Water balance by DMA"),
    description=Text(
        "Cân bằng nước chuẩn IWA, lưu lượng đêm, thất thoát không tránh được và chỉ số ILI của từng DMA.",
        "The IWA standard water balance, night flow, unavoidable losses and leakage index of every metered area.",
    ),
    inputs=DmaBalanceInputs,
    outputs=("dma_balances",),
    compute=compute,
)
