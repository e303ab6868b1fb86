"""Flood ensemble: many equally probable floods from one present, and how likely water is anywhere."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.engine import EngineState
from hydrology.probability import THRESHOLDS, FloodProbability, compute_probability
from hydrology.structures import Pump
from layers.schema import Text
from twin.ensemble import open_folder, run_members
from twin.parcel import write_parcel
from twin.process import CityView, Outputs, Process, Progress, RasterOutput, describe
from twin.processes.flood_impact import Impact, Water, assess_impact
from twin.processes.flood_members import (
    MEMBER_PARAMETERS,
    FloodMember,
    MemberWater,
    Parcel,
    compute_member,
    sign_member,
)
from twin.processes.flood_run import warm_up
from twin.processes.flood_scenario import FloodScenarioInputs, build_scenario, entitle, find_stage, prepare_scenario
from twin.processes.flood_spread import Draws, draw_members, find_past, share_evenly, spread_stage
from twin.processes.flood_stage import StageSeries, choose_base_time
from twin.processes.flood_steps import FloodCase, PartProgress, describe_run, find_peak
from twin.processes.flood_wards import find_ward_cells, summarize_wards
from twin.remembered import RememberedCity

PROBABILITY_LAYERS = dict(
    zip(THRESHOLDS, ("flood_probability_01", "flood_probability_03", "flood_probability_05"), strict=True)
)
FIGURES = ("flooded_area", "people", "buildings", "road_length", "closed_road_length", "depth_max")
EXCEEDANCES = (0.5, 0.1)
"""Probabilities with which the depths of the summary are exceeded; the first are those of the map."""


class FloodEnsembleInputs(FloodScenarioInputs):
    """What a flood ensemble is asked: a scenario, and how far its members are from it."""

    cell_size: float = describe(
        Text("Kích thước ô", "Cell size"),
        Text("Cạnh của một ô lưới tính.", "Side of a grid cell."),
        unit="m",
        default=15.0,
        ge=5.0,
        le=90.0,
    )
    members: int = describe(
        Text("Số thành viên", "Members"),
        Text("Số lần tính có khả năng như nhau.", "How many equally probable floods."),
        unit="1",
        default=20,
        ge=3,
        le=100,
    )
    stage_spread: float | None = describe(
        Text("Độ tản mực nước", "Stage spread"),
        Text(
            "Độ lệch chuẩn của mực nước, đạt sau thời gian dâng; bỏ trống thì theo dải dự báo, không có thì 0,1 m.",
            "Standard deviation of the stage, reached after the ramp; if not given, as wide as the forecast's band, or "
            "0.1 m without a forecast.",
        ),
        unit="m",
        default=None,
        ge=0.0,
        le=2.0,
    )
    rain_spread: float = describe(
        Text("Độ tản lượng mưa", "Rain spread"),
        Text(
            "Độ lệch chuẩn của lô-ga-rít hệ số nhân lượng mưa.",
            "Standard deviation of the logarithm of the factor on the rain.",
        ),
        unit="1",
        default=0.25,
        ge=0.0,
        le=1.5,
    )
    rain_factors: tuple[float, ...] = describe(
        Text("Hệ số mưa", "Rain factors"),
        Text(
            "Các hệ số nhân lượng mưa, lần lượt chia cho các thành viên; thay cho độ tản lượng mưa.",
            "Factors on the rain, dealt to the members in turn; instead of the rain spread.",
        ),
        default=(),
        max_length=100,
    )
    pump_failure: float = describe(
        Text("Xác suất hỏng bơm", "Pump failure"),
        Text("Xác suất mỗi máy bơm không chạy.", "Probability that a pump does not run, each on its own."),
        unit="1",
        default=0.0,
        ge=0.0,
        le=1.0,
    )
    past_hours: float = describe(
        Text("Thời gian trước đó", "Hours before"),
        Text(
            "Nước theo số đo của trạm trong bao nhiêu giờ trước lúc bắt đầu, chung cho mọi thành viên.",
            "How many hours before the start the water follows the gauge's readings, the same for all members.",
        ),
        unit="h",
        default=6.0,
        ge=0.0,
        le=48.0,
    )
    seed: int = describe(
        Text("Số gieo", "Seed"),
        Text("Cùng số thì cùng kết quả.", "The same number gives the same result."),
        unit="1",
        default=1,
        ge=0,
        le=2**31,
    )


class _Tally:
    """What is kept of the members besides their depths: a row each, steps, seconds, when water came, wet cells."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.rows: list[dict[str, Any]] = []
        self.steps, self.seconds = 0, 0.0
        self.times: NDArray[np.float64] = np.zeros(0)
        self.wards: list[NDArray[np.int32]] = []
        self._arrival_sum, self._arrived = np.zeros(shape), np.zeros(shape, dtype=np.int64)

    def add(self, row: dict[str, Any], member: MemberWater) -> None:
        """Count one member."""
        self.rows.append(row)
        self.steps += member.water.steps
        self.seconds += member.seconds
        self.times = member.times
        self.wards.append(member.wards)
        came = np.isfinite(member.water.arrival)
        self._arrival_sum += np.where(came, member.water.arrival, 0.0)
        self._arrived += came

    def mean_arrival(self) -> NDArray[np.float32]:
        """Return when water came [s] (rows, cols), on average over the members in which it did; NaN never."""
        came = self._arrived > 0
        return np.where(came, self._arrival_sum / np.maximum(self._arrived, 1), np.nan).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """The case all members share, with the stage of the middle one; their stages, what was drawn, the hours before."""

    case: FloodCase
    stages: list[StageSeries]
    draws: Draws
    pumps: tuple[str, ...]
    past: StageSeries | None

    def list_members(self, parcel: Path) -> list[FloodMember]:
        """Return the members, by rising stage."""
        names = np.array(self.pumps, dtype=np.str_)
        drawn = zip(self.stages, self.draws.rain_factors, self.draws.failed, strict=True)
        return [
            FloodMember(parcel, stage, float(factor), tuple(str(name) for name in names[failed]))
            for stage, factor, failed in drawn
        ]


def compute(view: CityView, inputs: FloodEnsembleInputs, progress: Progress) -> Outputs:
    """Return the probability of water over the members. Raises InputError as a scenario does."""
    progress.report(0.0, "địa hình, sông rạch — terrain and water")
    city = RememberedCity(view)
    plan = _draw(city, inputs)
    tally = _Tally(plan.case.domain.grid.shape)
    cells = find_ward_cells(plan.case.home(), plan.case.domain.grid)
    with open_folder(progress, compute_member) as (folder, board):
        progress.report(0.03, "nước trước lúc bắt đầu — water before the start")
        parcel = folder / "shared"
        write_parcel(parcel, Parcel(replace(plan.case, city=None), _start_water(plan, progress), cells))
        members = plan.list_members(parcel)
        tasks = ((f"member {number} of {len(members)}", member) for number, member in enumerate(members, start=1))
        part = PartProgress(progress, 0.06, 0.92)
        with closing(
            run_members(compute_member, tasks, count=len(members), progress=part, board=board, sign=sign_member)
        ) as waters:
            found = compute_probability(
                _watch(waters, members, plan, tally), quantiles=[1.0 - share for share in EXCEEDANCES]
            )
    progress.report(0.93, "đối tượng bị ngập — affected assets")
    likely, high = (_assess(plan.case, found.quantiles[1.0 - share], tally.mean_arrival()) for share in EXCEEDANCES)
    start = plan.case.scenario.base_time
    wards = [] if cells is None else summarize_wards(cells, tally.times, tally.wards, start, (likely, high))
    return Outputs(
        title=_entitle(plan.case, len(members)),
        base_time=start,
        horizon_hours=inputs.horizon_hours,
        rasters=_to_rasters(found, plan.case),
        features={"flood_assets": likely.assets},
        summary=_summarize(plan.case, tally, [likely, high], wards),
        stage_forecast=plan.case.stage.report,
        balance={"relative_error": max((row["mass_error"] for row in tally.rows), key=abs)},
        parameters={
            **describe_run(plan.case, tally.steps, {}),
            "flood": asdict(MEMBER_PARAMETERS),
            "ensemble": {
                "members": len(members),
                "seed": inputs.seed,
                "past_hours": 0.0 if plan.past is None else round(-float(plan.past.times[0]) / 3600.0, 3),
                "processor_seconds": round(tally.seconds, 1),
            },
        },
    )


def _draw(city: CityView, inputs: FloodEnsembleInputs) -> _Plan:
    """Return the members, over one domain: its gates and dykes are those of the highest stage of all."""
    base_time = choose_base_time(city, inputs.base_time, "base_time")
    middle = find_stage(city, inputs, build_scenario(inputs, base_time))
    quantiles = share_evenly(inputs.members)
    stages = spread_stage(middle, quantiles, base_time, spread=inputs.stage_spread, ramp_hours=inputs.ramp_hours)
    past = find_past(city, middle, base_time, inputs.past_hours)
    highest = np.max([stage.stages for stage in stages], axis=0)
    whole = replace(middle, stages=highest) if past is None else _join(past, replace(middle, stages=highest))
    case = prepare_scenario(city, inputs, stage=whole)
    # The scenario may raise the stage it is given, as a higher sea does: every member's then, and the hours before.
    rise = float(case.stage.stages[0] - whole.stages[0])
    case = replace(case, stage=_lift(middle, rise))
    pumps = tuple(item.id for item in case.domain.structures if isinstance(item, Pump) and item.on)
    draws = draw_members(
        inputs.members,
        len(pumps),
        rain_spread=inputs.rain_spread,
        rain_factors=inputs.rain_factors,
        pump_failure=inputs.pump_failure,
        seed=inputs.seed,
    )
    return _Plan(
        case, [_lift(stage, rise) for stage in stages], draws, pumps, None if past is None else _lift(past, rise)
    )


def _lift(stage: StageSeries, metres: float) -> StageSeries:
    return replace(stage, stages=stage.stages + metres, usual=stage.usual + metres)


def _join(past: StageSeries, future: StageSeries) -> StageSeries:
    times = np.concatenate([past.times[:-1], future.times])
    return replace(future, times=times, stages=np.concatenate([past.stages[:-1], future.stages]))


def _start_water(plan: _Plan, progress: Progress) -> EngineState | None:
    """Return the water all members start from, None where no readings say what it did before."""
    if plan.past is None:
        return None
    return warm_up(plan.case.domain, plan.past, plan.case.rain, MEMBER_PARAMETERS, progress, subgrid=plan.case.subgrid)


def _watch(
    waters: Iterator[MemberWater], members: list[FloodMember], plan: _Plan, tally: _Tally
) -> Iterator[NDArray[np.float32]]:
    """Yield the largest depths of each member, and count what it does."""
    for number, (member, made) in enumerate(zip(members, waters, strict=True), start=1):
        case = plan.case if member.stage is None else replace(plan.case, stage=member.stage)
        impact = _assess(case, made.water.depth_max, made.water.arrival)
        row = {
            "member": number,
            "stage_quantile": round(float(plan.draws.quantiles[number - 1]), 4),
            "rain_factor": round(member.rain_factor, 4) if case.rain is not None else None,
            "stopped_pumps": list(member.stopped_pumps),
            **find_peak(case),
            **_pick(impact),
            "mass_error": made.water.balance["relative_error"],
        }
        tally.add(row, made)
        yield made.water.depth_max


def _assess(case: FloodCase, depth: NDArray[np.float32], arrival: NDArray[np.float32]) -> Impact:
    return assess_impact(case.home(), Water(case.domain.grid, depth, arrival, case.domain.bed), case.scenario.base_time)


def _pick(impact: Impact) -> dict[str, Any]:
    return {name: impact.summary[name] for name in FIGURES}


def _summarize(case: FloodCase, tally: _Tally, impacts: list[Impact], wards: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the counts of the depth exceeded by half of the members, and what the ensemble says beyond."""
    expected = {name: float(np.mean([row[name] for row in tally.rows])) for name in FIGURES}
    return {
        **impacts[0].summary,
        **find_peak(case),
        "ensemble": {
            "expected": {name: round(value, 3) for name, value in expected.items()},
            "exceeded": [
                {"probability": share, **_pick(impact)} for share, impact in zip(EXCEEDANCES, impacts, strict=True)
            ],
            "members": tally.rows,
            "wards": wards,
        },
    }


def _to_rasters(found: FloodProbability, case: FloodCase) -> dict[str, RasterOutput]:
    """Return the probabilities, and as the flood's depth the one exceeded by half of the members."""
    rasters = {
        PROBABILITY_LAYERS[depth]: RasterOutput(array, case.domain.grid) for depth, array in found.probability.items()
    }
    return {**rasters, "flood_depth_max": RasterOutput(found.quantiles[1.0 - EXCEEDANCES[0]], case.domain.grid)}


def _entitle(case: FloodCase, members: int) -> Text:
    title = entitle(case.scenario)
    return Text(f"Tổ hợp {members} lần tính. {title.vi}", f"Ensemble of {members} floods. {title.en}")


PROCESS = Process(
    id="flood-ensemble",
    title=Text("Tổ hợp ngập", "Flood ensemble"),
    description=Text(
        "Mực nước và mưa dự báo sai bao nhiêu thì ngập khác đi bấy nhiêu: xác suất ngập ở từng nơi.",
        "Many equally probable floods, as far apart as stage and rain are uncertain: how likely water is anywhere.",
    ),
    inputs=FloodEnsembleInputs,
    outputs=(*PROBABILITY_LAYERS.values(), "flood_depth_max", "flood_assets"),
    compute=compute,
)
