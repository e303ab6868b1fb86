"""Water network run: pressures, flows and pump energy over a day or more, with valves closed and pumps switched."""

from typing import Any

from layers.schema import Text
from twin.process import CityView, Outputs, Process, Progress, describe
from twin.processes.water_inputs import WaterInputs, prepare_study
from twin.water.run import (
    describe_balance,
    describe_pressures,
    describe_pumps,
    frame_flows,
    frame_pressures,
)
from twin.water.study import Study

# Rounded prices by the hour [VND/kWh] in the shape of the national tariff: cheap by night, dear in a weekday's peaks.
_OFF, _NORMAL, _PEAK = 1300.0, 2000.0, 3500.0
USUAL_PRICES = (
    *(_OFF for _ in range(4)), *(_NORMAL for _ in range(5)), *(_PEAK for _ in range(3)), *(_NORMAL for _ in range(5)),
    *(_PEAK for _ in range(3)), *(_NORMAL for _ in range(2)), *(_OFF for _ in range(2)),
)  # fmt: skip


class WaterRunInputs(WaterInputs):
    """What a run of pressures and flows is asked."""

    energy_prices: tuple[float, ...] = describe(
        Text("Giá điện", "Electricity price"),
        Text(
            "Giá một kWh: một số, hay 24 số cho từng giờ; mặc định theo giờ cao điểm, thấp điểm.",
            "Price of a kWh: one number, or 24 by the hour; peak and off-peak hours if not given.",
        ),
        unit="{VND}/kW.h",
        default=USUAL_PRICES,
        min_length=1,
        max_length=24,
    )


def compute(view: CityView, inputs: WaterRunInputs, progress: Progress) -> Outputs:
    """Return pressures and flows. Raises InputError for a network that cannot be run, MassBalanceError."""
    study = prepare_study(view, inputs, progress)
    run = study.solve(progress)
    pressures = frame_pressures(run, study.areas)
    return Outputs(
        title=Text(
            f"Mạng cấp nước {inputs.duration_hours} giờ",
            f"Water network, {inputs.duration_hours} h",
        ),
        base_time=study.begins,
        horizon_hours=float(inputs.duration_hours),
        features={"water_pressures": pressures, "water_flows": frame_flows(run)},
        summary={
            "pressure": describe_pressures(pressures),
            "pumps": describe_pumps(run, inputs.energy_prices),
            "water": describe_balance(run.hydraulics.balance),
            **describe_network(study),
        },
        balance=describe_balance(run.hydraulics.balance),
        parameters={
            "solutions": run.hydraulics.steps,
            "unbalanced": run.hydraulics.unbalanced,
            "engine": "EPANET 2.3",
        },
    )


def describe_network(study: Study) -> dict[str, Any]:
    """Return what the model was made of: its size, what was left out, what was assumed."""
    network = study.network
    return {
        "network": {
            "nodes": len(network.nodes),
            "pipes": len(network.pipes),
            "valves": len(network.valves),
            "pumps": len(network.pumps),
            "closed_pipes": int((~network.pipes["opened"]).sum()),
            "assumed_diameters": int(network.pipes["assumed"].sum()),
            "left_out": {
                reason: {"count": len(ids), "ids": list(ids[:20])} for reason, ids in network.left_out.items()
            },
        },
        "demands": dict(study.notes),
    }


PROCESS = Process(
    id="water-run",
    title=Text("Mô phỏng mạng cấp nước", "Water network run"),
    description=Text(
        "Áp lực, lưu lượng, vận tốc, điện năng bơm của mạng cấp nước; thử đóng van, đổi giờ bơm.",
        "Pressures, flows, velocities and pump energy of the water network; with valves closed, pumps rescheduled.",
    ),
    inputs=WaterRunInputs,
    outputs=("water_pressures", "water_flows"),
    compute=compute,
)
