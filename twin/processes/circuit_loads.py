"""Lighting circuits: what each cabinet feeds, load and voltage drop of each circuit, and what is wired otherwise."""

from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.schema import Text
from network.voltage import LIGHTING_LIMIT
from twin.networks.circuits import compute_circuit_loading, list_disagreements, read_circuits, summarize_circuits
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe

MOST_TOLD = 500


class CircuitLoadsInputs(Inputs):
    """What is judged."""

    largest_drop: float = describe(
        Text("Sụt áp cho phép", "Allowed voltage drop"),
        Text("Tỷ lệ điện áp, từ tủ đến đèn xa nhất.", "Share of the voltage, from cabinet to the farthest lamp."),
        unit="1",
        default=LIGHTING_LIMIT,
        gt=0.0,
        le=0.5,
    )


def compute(city: CityView, inputs: CircuitLoadsInputs, progress: Progress) -> Outputs:
    """Return every circuit with its load, and what luminaires say otherwise than they are wired."""
    progress.report(0.1, "mạch chiếu sáng — circuits")
    circuits = read_circuits(city)
    loading, presumed = compute_circuit_loading(circuits)
    table = summarize_circuits(circuits, loading)
    wrong = list_disagreements(circuits)
    cabinets = circuits.cabinets
    load = table.groupby("cabinet")["power"].sum().reindex(range(len(cabinets))).fillna(0.0).to_numpy(np.float64)
    rated = cabinets["rated_power"].to_numpy(np.float64)
    over = np.isfinite(rated) & (load > rated)
    rows = table["cabinet"].to_numpy(np.int64)
    verdict = np.select(
        [over[rows], table["current"] > table["fuse_rating"], table["voltage_drop"] > inputs.largest_drop],
        ["cabinet", "fuse", "drop"],
        "good",
    )
    points = circuits.network.node_xy[table["node"].to_numpy(np.int64)].reshape(-1, 2)
    frame = gpd.GeoDataFrame(
        {
            "id": table["circuit_id"],
            "circuit_id": table["circuit_id"],
            "cabinet_id": cabinets["id"].to_numpy(object)[rows],
            "lamps": table["lamps"].astype(int),
            "length": table["length"].round(1),
            "power": table["power"].round(1),
            "current": table["current"].round(2),
            "fuse_rating": table["fuse_rating"],
            "voltage_drop": table["voltage_drop"].round(5),
            "verdict": verdict,
        },
        geometry=shapely.points(points),
        crs=city.crs,
    )
    kinds = Counter(each["kind"] for each in wrong)
    worst = frame.sort_values("voltage_drop", ascending=False).head(20)
    return Outputs(
        title=Text(f"Mạch chiếu sáng: {len(frame)}", f"Lighting circuits: {len(frame)}"),
        base_time=city.now,
        horizon_hours=0.0,
        features={"circuit_loads": frame},
        summary={
            "lamps": len(circuits.lamps),
            "lamps_fed": int(np.count_nonzero(circuits.lamp_cabinets >= 0)),
            "cabinets": len(cabinets),
            "circuits": len(frame),
            "length": round(float(frame["length"].sum()), 1),
            "power": round(float(frame["power"].sum()), 1),
            "cables_presumed": presumed,
            "verdicts": {str(name): int(count) for name, count in pd.Series(verdict).value_counts().items()},
            "cabinets_overloaded": cabinets["id"][over].tolist()[:MOST_TOLD],
            "largest_drops": [
                {"circuit_id": row.circuit_id, "cabinet_id": row.cabinet_id, "voltage_drop": row.voltage_drop}
                for row in worst.itertuples()
            ],
            "disagreements": {**kinds},
            "disagreement_list": wrong[:MOST_TOLD],
            "unresolved": circuits.network.unresolved,
        },
        parameters={"largest_drop": inputs.largest_drop, "power_factor": 0.9, "source": "IEC 60364-5-52 annex G"},
    )


PROCESS = Process(
    id="circuit-loads",
    title=Text("Mạch chiếu sáng: tải, sụt áp", "Lighting circuits: load and voltage drop"),
    description=Text(
        "Truy từng đèn về tủ theo cáp; chiều dài, công suất, dòng điện, sụt áp của mỗi mạch; chỗ hồ sơ khác thực tế.",
        "Every lamp traced to its cabinet along the cables; length, power, current and voltage drop of each circuit; "
        "where records and wiring differ.",
    ),
    inputs=CircuitLoadsInputs,
    outputs=("circuit_loads",),
    compute=compute,
    immediate=True,
)
