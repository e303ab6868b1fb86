"""Signal timing: cycle and splits after Webster at each signal of a street, and offsets that make a green wave."""

from dataclasses import dataclass
from typing import Annotated, Any

import geopandas as gpd
import numpy as np
import shapely
from pydantic import Field

from layers.errors import InputError, NumericsError
from layers.schema import Text
from network.paths_answers import Values
from network.signals import FULLEST, SATURATION_FLOW, SignalPlan, compute_cycle, compute_plan
from network.signals_progression import MOST_SIGNALS, GreenWave, maximize_bands
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe
from twin.roads.signal_corridor import Corridor, read_corridor
from twin.roads.signal_diagram import draw_diagram
from twin.roads.signal_flows import SignalFlows, read_run_flows, spread_flows

DIAGRAM = "time_space.svg"
Word = Annotated[str, Field(min_length=1, max_length=200)]
Flow = Annotated[float, Field(ge=0.0, le=20_000.0)]
_PHASES = 2


class SignalTimingInputs(Inputs):
    """Which street, what arrives, and within what bounds a plan may lie."""

    street: Word = describe(
        Text("Đường", "Street"),
        Text("Tên đường có đèn tín hiệu.", "The name of the street with signals."),
    )
    signals: tuple[Word, ...] = describe(
        Text("Đèn", "Signals"),
        Text("Mã các đèn; không có thì mọi đèn trên đường.", "Ids of signals; without them all on the street."),
        default=(),
        max_length=MOST_SIGNALS,
    )
    outbound_flow: Flow = describe(
        Text("Lưu lượng xuôi", "Flow out"),
        Text("Xe con quy đổi mỗi giờ, từ đèn đầu đến đèn cuối.", "From the first signal to the last."),
        unit="{pcu}/h",
        default=600.0,
    )
    inbound_flow: Flow = describe(
        Text("Lưu lượng ngược", "Flow back"),
        Text("Xe con quy đổi mỗi giờ, chiều ngược lại.", "The other way."),
        unit="{pcu}/h",
        default=600.0,
    )
    cross_flow: Flow = describe(
        Text("Lưu lượng ngang", "Flow across"),
        Text("Xe con quy đổi mỗi giờ của hướng ngang đông nhất.", "Of the busiest approach from the sides."),
        unit="{pcu}/h",
        default=350.0,
    )
    flows: dict[Word, dict[str, Flow]] = describe(
        Text("Lưu lượng từng đèn", "Flows of each signal"),
        Text(
            '{"mã đèn": {"outbound": …, "inbound": …, "across": …}}, thay cho giá trị chung.',
            '{"signal id": {"outbound": …, "inbound": …, "across": …}}, in place of those for all.',
        ),
        default={},
        max_length=MOST_SIGNALS,
    )
    flow_run: str | None = describe(
        Text("Lần phân bổ giao thông", "Assignment run"),
        Text("Lấy lưu lượng từ lần chạy này.", "Flows are those of this run of traffic-assignment."),
        default=None,
        max_length=120,
    )
    lost_time: float = describe(
        Text("Thời gian mất mỗi pha", "Lost time of a phase"),
        Text("Khởi động và dọn giao cắt.", "Starting and clearing."),
        unit="s",
        default=4.0,
        gt=0.0,
        le=20.0,
    )
    shortest_green: float = describe(
        Text("Xanh ngắn nhất", "Shortest green"),
        Text("Để người đi bộ sang đường.", "For people who cross."),
        unit="s",
        default=10.0,
        ge=3.0,
        le=60.0,
    )
    shortest_cycle: float = describe(
        Text("Chu kỳ ngắn nhất", "Shortest cycle"),
        Text("Của cả tuyến.", "Of all."),
        unit="s",
        default=50.0,
        ge=30,
        le=240,
    )
    longest_cycle: float = describe(
        Text("Chu kỳ dài nhất", "Longest cycle"),
        Text("Của cả tuyến.", "Of all."),
        unit="s",
        default=120.0,
        ge=30,
        le=240,
    )
    slowest: float = describe(
        Text("Tốc độ thấp nhất", "Slowest"),
        Text("Của làn sóng xanh.", "Of the green wave."),
        unit="km/h",
        default=30.0,
        ge=5.0,
        le=120.0,
    )
    fastest: float = describe(
        Text("Tốc độ cao nhất", "Fastest"),
        Text("Của làn sóng xanh.", "Of the green wave."),
        unit="km/h",
        default=50.0,
        ge=5.0,
        le=120.0,
    )
    speed_change: float = describe(
        Text("Đổi tốc độ giữa hai đoạn", "Change of speed"),
        Text("Tối đa giữa hai đoạn liền nhau.", "Most from one stretch to the next."),
        unit="km/h",
        default=10.0,
        ge=0.0,
        le=60.0,
    )
    inbound_weight: float | None = describe(
        Text("Trọng số chiều ngược", "Weight of the way back"),
        Text(
            "Dải xanh chiều ngược tính bao nhiêu so với chiều xuôi; không có thì theo lưu lượng, 0 là bỏ qua.",
            "What the band back counts against the band out; without it as the flows are, 0 leaves it aside.",
        ),
        unit="1",
        default=None,
        ge=0.0,
        le=10.0,
    )


@dataclass(frozen=True, eq=False)
class _Timing:
    """The plan of each signal with the green of the street first, and the wave where there are two signals or more."""

    plans: tuple[SignalPlan, ...]
    wave: GreenWave | None
    one_way: bool

    @property
    def cycle(self) -> float:
        return self.plans[0].cycle

    @property
    def greens(self) -> Values:
        return np.array([plan.greens[0] for plan in self.plans])


def compute(view: CityView, inputs: SignalTimingInputs, progress: Progress) -> Outputs:
    """Plan the signals of the street; see ``network.signals`` and ``network.signals_progression``."""
    if inputs.shortest_cycle > inputs.longest_cycle or inputs.slowest > inputs.fastest:
        raise InputError("the shortest cycle is longer than the longest, or the slowest speed above the fastest")
    wrong = {name for each in inputs.flows.values() for name in each} - {"outbound", "inbound", "across"}
    if wrong:
        raise InputError(f"'flows' has '{sorted(wrong)[0][:40]}'", hint="outbound, inbound, across")
    roads = view.roads()
    progress.report(0.2, "đọc tuyến — reading the street")
    corridor = read_corridor(view, roads, inputs.street, inputs.signals)
    if len(corridor.ids) > MOST_SIGNALS:
        raise InputError(
            f"'{corridor.street}' has {len(corridor.ids)} signals, at most {MOST_SIGNALS}", hint="name some"
        )
    if inputs.flow_run is not None:
        flows = read_run_flows(view, roads, corridor, inputs.flow_run)
    else:
        flows = spread_flows(
            roads, corridor, inputs.outbound_flow, inputs.inbound_flow, inputs.cross_flow, inputs.flows
        )
    progress.report(0.4, "tính chu kỳ, làn sóng xanh — cycle and green wave")
    timing = _plan(corridor, flows, inputs)
    count = len(corridor.ids)
    files = {}
    if timing.wave is not None:
        files[DIAGRAM] = draw_diagram(corridor, timing.wave, timing.greens).encode()
    return Outputs(
        title=Text(
            f"{corridor.street}: {count} đèn, chu kỳ {timing.cycle:.0f} s",
            f"{corridor.street}: {count} signals, cycle {timing.cycle:.0f} s",
        ),
        base_time=view.now,
        horizon_hours=0.0,
        features={"signal_plans": _build_frame(view, roads.graph.junction_xy, corridor, timing)},
        summary=_summarize(corridor, flows, timing),
        parameters={
            "stamp": roads.stamp,
            "saturation_flow_lane": SATURATION_FLOW,
            "fullest": FULLEST,
            "sources": ["Webster 1958", "Little, Kelson and Gartner 1981"],
        },
        files=files,
    )


def _plan(corridor: Corridor, flows: SignalFlows, inputs: SignalTimingInputs) -> _Timing:
    """Return plans with one cycle: that of the busiest signal, moved as far as the green wave gains by it."""
    lost = _PHASES * inputs.lost_time
    bounds = {"shortest": inputs.shortest_cycle, "longest": inputs.longest_cycle}
    ratios = flows.main_ratios + flows.across / flows.across_saturation
    wanted = max(compute_cycle(lost, float(ratio), **bounds) for ratio in ratios)
    plans = _split(flows, inputs, lost, wanted)
    if len(corridor.ids) < 2:
        return _Timing(plans, None, False)
    back = float(flows.inbound.mean() / max(flows.outbound.mean(), 1e-9))
    weight = inputs.inbound_weight if inputs.inbound_weight is not None else min(max(back, 0.1), 10.0)
    least = max(lost / (1.0 - min(float(ratios.max()) / FULLEST, 0.9)), _PHASES * inputs.shortest_green + lost)
    lowest = min(max(inputs.shortest_cycle, 0.85 * wanted, least), wanted)
    span = lowest, max(min(inputs.longest_cycle, 1.15 * wanted), lowest)
    wave, one_way = _coordinate(corridor, plans, span, weight, inputs)
    plans = _split(flows, inputs, lost, wave.cycle)
    # The greens at the cycle that was found are a little other shares of it.
    wave, one_way = _coordinate(corridor, plans, (wave.cycle, wave.cycle), weight, inputs)
    return _Timing(plans, wave, one_way)


def _split(flows: SignalFlows, inputs: SignalTimingInputs, lost: float, cycle: float) -> tuple[SignalPlan, ...]:
    busier = flows.outbound / flows.outbound_saturation >= flows.inbound / flows.inbound_saturation
    main = np.where(busier, flows.outbound, flows.inbound)
    saturation = np.where(busier, flows.outbound_saturation, flows.inbound_saturation)
    return tuple(
        compute_plan(
            [main[k], flows.across[k]], [saturation[k], flows.across_saturation[k]], lost_time=lost, cycle=cycle,
            shortest_green=inputs.shortest_green,
        )
        for k in range(main.size)
    )  # fmt: skip


def _coordinate(
    corridor: Corridor, plans: tuple[SignalPlan, ...], cycles: tuple[float, float], weight: float,
    inputs: SignalTimingInputs,
) -> tuple[GreenWave, bool]:  # fmt: skip
    """Return the wave, and whether it goes one way only because no band passes both ways."""
    shares = [plan.greens[0] / plan.cycle for plan in plans]

    def ask(weight: float) -> GreenWave:
        return maximize_bands(
            corridor.spacing.tolist(), shares, cycles=cycles, speeds=(inputs.slowest, inputs.fastest),
            speed_change=inputs.speed_change, inbound_weight=weight,
        )  # fmt: skip

    try:
        return ask(weight), weight == 0.0
    except NumericsError:
        return ask(0.0), True


def _build_frame(view: CityView, xy: Values, corridor: Corridor, timing: _Timing) -> gpd.GeoDataFrame:
    offsets = np.zeros(len(corridor.ids)) if timing.wave is None else timing.wave.offsets
    return gpd.GeoDataFrame(
        {
            "id": [f"S{place + 1}" for place in range(len(corridor.ids))],
            "position": np.arange(1, len(corridor.ids) + 1),
            "signal_id": list(corridor.ids),
            "name": [name or None for name in corridor.names],
            "distance": np.round(corridor.distances, 1),
            "cycle": round(timing.cycle, 1),
            "offset_time": np.round(offsets, 1),
            "main_green": [round(plan.greens[0], 1) for plan in timing.plans],
            "cross_green": [round(plan.greens[1], 1) for plan in timing.plans],
            "flow_ratio": [round(plan.flow_ratio, 3) for plan in timing.plans],
            "saturation": [round(max(plan.saturation), 3) for plan in timing.plans],
            "delay": [round(plan.delay, 1) for plan in timing.plans],
        },
        geometry=shapely.points(xy[corridor.junctions]),
        crs=view.crs,
    )


def _summarize(corridor: Corridor, flows: SignalFlows, timing: _Timing) -> dict[str, Any]:
    wave = timing.wave
    told: dict[str, Any] = {
        "street": corridor.street,
        "signals": [
            {
                "id": corridor.ids[place],
                "name": corridor.names[place],
                "distance": round(float(corridor.distances[place]), 1),
                "offset": 0.0 if wave is None else round(float(wave.offsets[place]), 1),
                "greens": [round(green, 1) for green in plan.greens],
                "flows": [round(float(each[place]), 1) for each in (flows.outbound, flows.inbound, flows.across)],
                "saturation": round(max(plan.saturation), 3),
                "delay": round(plan.delay, 1),
            }
            for place, plan in enumerate(timing.plans)
        ],
        "cycle": round(timing.cycle, 1),
        "oversaturated": [corridor.ids[place] for place, plan in enumerate(timing.plans) if max(plan.saturation) > 1.0],
        "green_wave": None,
    }
    if wave is not None:
        told["green_wave"] = {
            "outbound_band": round(wave.outbound_band, 1),
            "inbound_band": round(wave.inbound_band, 1),
            "one_way_only": timing.one_way,
            "efficiency": round(wave.efficiency, 3),
            "outbound_speeds": np.round(wave.outbound_speeds, 1).tolist(),
            "inbound_speeds": np.round(wave.inbound_speeds, 1).tolist(),
            "proven": wave.proven,
            "gap": round(wave.gap, 6),
            "diagram": DIAGRAM,
        }
    return told


PROCESS = Process(
    id="signal-timing",
    title=Text("Đèn tín hiệu, làn sóng xanh", "Signal timing, green waves"),
    description=Text(
        "Chu kỳ và chia xanh theo Webster cho từng đèn trên một đường, lệch pha cho làn sóng xanh (MAXBAND), biểu đồ "
        "thời gian – khoảng cách.",
        "Cycle and splits after Webster for each signal along a street, offsets for a green wave (MAXBAND), with a "
        "time-space diagram.",
    ),
    inputs=SignalTimingInputs,
    outputs=("signal_plans",),
    compute=compute,
)
