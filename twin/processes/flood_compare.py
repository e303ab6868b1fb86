"""Flood comparison: what measures save in each event and climate, what floods cost a year, where water changes."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hydrology.comparison import Case, FloodFigures, compare_depths, tabulate_annual_damage, tabulate_benefits
from layers.errors import TwinError
from layers.schema import Text
from twin.ensemble import open_folder, run_members
from twin.parcel import write_parcel
from twin.process import CityView, Outputs, Process, Progress, RasterOutput
from twin.processes.flood_cases import NO_MEASURE, CaseKey, FloodCompareInputs
from twin.processes.flood_impact import Impact
from twin.processes.flood_members import (
    MEMBER_PARAMETERS,
    FloodMember,
    MemberWater,
    Parcel,
    compute_member,
    sign_member,
)
from twin.processes.flood_run import FloodWater
from twin.processes.flood_scenario import prepare_scenario
from twin.processes.flood_stage import choose_base_time
from twin.processes.flood_steps import FloodCase, PartProgress, assess_water, describe_run, find_peak
from twin.remembered import RememberedCity

_COUNTS = ("flooded_area", "people", "buildings", "road_length", "closed_road_length", "depth_max")


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A case of the map: what was run and what it did."""

    case: FloodCase
    water: FloodWater
    impact: Impact


@dataclass(slots=True, eq=False)
class _Study:
    """The cases that are run: those under way, a row of the table each, and the two of the map."""

    inputs: FloodCompareInputs
    city: CityView
    folder: Path
    under_way: dict[CaseKey, FloodCase] = field(default_factory=dict)
    rows: dict[CaseKey, dict[str, Any]] = field(default_factory=dict)
    shown: dict[CaseKey, _Shown] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0

    def list_tasks(self) -> Iterator[tuple[str, FloodMember]]:
        """Yield a flood for each case, prepared when somebody is free to compute it."""
        for number, key in enumerate(self.inputs.list_cases()):
            name = f"event '{key.event}', climate '{key.climate}', measure '{key.measure}'"
            try:
                case = prepare_scenario(self.city, self.inputs.find_inputs(key))
            except TwinError as error:
                raise type(error)(f"{name}: {error.message}", hint=error.hint) from error
            self.under_way[key] = case
            parcel = self.folder / str(number)
            write_parcel(parcel, Parcel(replace(case, city=None), None))
            yield name, FloodMember(parcel)

    def add(self, key: CaseKey, made: MemberWater) -> None:
        """Count what a case does, and keep its water if the map shows it."""
        case, water = self.under_way.pop(key), made.water
        (self.folder / str(len(self.rows))).unlink()
        impact = assess_water(case, water)
        self.steps += water.steps
        self.seconds += made.seconds
        damage = impact.summary["damage"]
        self.rows[key] = {
            **asdict(key),
            "return_period": self.inputs.find_period(key.event),
            **{name: impact.summary[name] for name in _COUNTS},
            "damaged_area": round(sum(row["damaged_area"] for row in damage["classes"]), 1),
            "damage": damage["total"],
            **find_peak(case),
            "mass_error": water.balance["relative_error"],
        }
        if key in self.inputs.find_pair():
            self.shown[key] = _Shown(case, water, impact)


def compute(view: CityView, inputs: FloodCompareInputs, progress: Progress) -> Outputs:
    """Return the comparison of all cases. Raises InputError as a scenario does, with the case's name."""
    progress.report(0.0, "địa hình, sông rạch — terrain and water")
    city = RememberedCity(view)
    fixed = inputs.model_copy(update={"base_time": choose_base_time(city, inputs.base_time, "base_time")})
    keys = fixed.list_cases()
    with open_folder(progress, compute_member) as (folder, board):
        study = _Study(fixed, city, folder)
        part = PartProgress(progress, 0.02, 0.94)
        with closing(
            run_members(
                compute_member, study.list_tasks(), count=len(keys), progress=part, board=board, sign=sign_member
            )
        ) as waters:
            for key, made in zip(keys, waters, strict=True):
                study.add(key, made)
    before, after = (study.shown[key] for key in fixed.find_pair())
    change = compare_depths(before.water.depth_max, after.water.depth_max)
    grid = after.case.domain.grid
    return Outputs(
        title=_entitle(fixed),
        base_time=after.case.scenario.base_time,
        horizon_hours=fixed.horizon_hours,
        rasters={
            "flood_depth_change": RasterOutput(change.change, grid),
            "flood_depth_max": RasterOutput(after.water.depth_max, grid),
        },
        features={"flood_assets": after.impact.assets},
        summary={
            **after.impact.summary,
            **find_peak(after.case),
            "comparison": {
                **tabulate(study.rows, damage_from=fixed.damage_from),
                "map": {
                    **dict(zip(("before", "after"), (asdict(key) for key in fixed.find_pair()), strict=True)),
                    "wetted_area": float(change.wetted.sum()) * grid.cell_area,
                    "dried_area": float(change.dried.sum()) * grid.cell_area,
                },
            },
        },
        stage_forecast=after.case.stage.report,
        balance={"relative_error": max((row["mass_error"] for row in study.rows.values()), key=abs)},
        parameters={
            **describe_run(after.case, study.steps, after.water.moved),
            "flood": asdict(MEMBER_PARAMETERS),
            "comparison": {"runs": len(keys), "processor_seconds": round(study.seconds, 1)},
        },
    )


def tabulate(rows: Mapping[CaseKey, dict[str, Any]], *, damage_from: float | None = None) -> dict[str, Any]:
    """Return the table of the cases with what each saves, and the expected annual damage where periods allow it.

    Damage is money where every case's is known, else the damaged area: ground times damage factor [m2].
    """
    money = all(row["damage"] is not None for row in rows.values())
    cases = [
        Case(
            key.event,
            key.climate,
            key.measure,
            FloodFigures(
                row["flooded_area"],
                row["people"],
                row["buildings"],
                row["road_length"],
                float(row["damage"] if money else row["damaged_area"]),
            ),
            row["return_period"],
        )
        for key, row in rows.items()
    ]
    found = tabulate_benefits(cases, NO_MEASURE)
    periods = {case.return_period for case in cases if case.return_period is not None}
    annual = tabulate_annual_damage(cases, NO_MEASURE, damage_from=damage_from) if len(periods) > 1 else []
    return {
        "damage_in": "money" if money else "m2",
        "cases": [
            {**row, "saved": asdict(entry.benefit.saved), "saved_share": _round(entry.benefit.share)}
            for row, entry in zip(rows.values(), found, strict=True)
        ],
        "annual_damage": [
            {**asdict(entry), "damage": round(entry.damage, 1), "saved": round(entry.saved, 1)} for entry in annual
        ],
    }


def _round(shares: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if share is None else round(share, 4) for name, share in shares.items()}


def _entitle(inputs: FloodCompareInputs) -> Text:
    events, climates, measures = len(inputs.list_events()), len(inputs.climates), len(inputs.measures)
    return Text(
        f"So sánh {measures} giải pháp trong {events} trận ngập, {climates} khí hậu tương lai",
        f"Comparison of measures ({measures}) in events ({events}) and climates to come ({climates})",
    )


PROCESS = Process(
    id="flood-compare",
    title=Text("So sánh giải pháp chống ngập", "Flood comparison"),
    description=Text(
        "Mỗi trận ngập, mỗi khí hậu, mỗi giải pháp một lần tính: giải pháp nào bớt ngập bao nhiêu.",
        "A run for every event, climate and measure: what each measure saves, and what floods cost a year.",
    ),
    inputs=FloodCompareInputs,
    outputs=("flood_depth_change", "flood_depth_max", "flood_assets"),
    compute=compute,
)
