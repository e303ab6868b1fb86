"""Travel times between many places, as JSON or CSV."""

import csv
import io

import numpy as np

from layers.schema import Text
from network.paths_answers import Values
from twin.process import CityView, Outputs, Process, Progress, describe
from twin.processes.route_inputs import Place, TravelInputs, read_travel, tell_conditions, tell_snaps
from twin.roads.matrices import compute_travel_times
from twin.roads.profiles import MODE_TITLES

MOST_PLACES = 500
MANY = 100
"""More times than this are worth waiting for the hierarchy."""
CSV_NAME = "travel_matrix.csv"


class TravelMatrixInputs(TravelInputs):
    """Between which places."""

    origins: tuple[Place, ...] = describe(
        Text("Điểm đi", "Origins"),
        Text("Tối đa 500 điểm KINH ĐỘ,VĨ ĐỘ.", "Up to 500 places, LON,LAT each."),
        min_length=1,
        max_length=MOST_PLACES,
    )
    destinations: tuple[Place, ...] = describe(
        Text("Điểm đến", "Destinations"),
        Text("Tối đa 500 điểm; không có thì như điểm đi.", "Up to 500 places; without them those of origins."),
        default=(),
        max_length=MOST_PLACES,
    )
    as_csv: bool = describe(
        Text("Dạng CSV", "As CSV"),
        Text("Kèm bảng CSV origin,destination,duration.", "Also as CSV text origin,destination,duration."),
        default=False,
    )


def compute(view: CityView, inputs: TravelMatrixInputs, progress: Progress) -> Outputs:
    """Compute the matrix; see ``twin.roads.matrices``. A place no road is near to has no times."""
    many = len(inputs.origins) * max(len(inputs.destinations), 1) > MANY
    travel = read_travel(view, inputs, prepared=many)
    origins = travel.snap_loosely(inputs.origins, "origins")
    to = inputs.destinations or inputs.origins
    destinations = travel.snap_loosely(to, "destinations") if inputs.destinations else origins
    progress.report(0.3, "tính thời gian đi — computing times")
    times = compute_travel_times(travel.costs, origins, destinations, travel.clock)
    progress.report(0.8, "ghi bảng — writing the table")
    known = np.isfinite(times)
    size, mode = f"{times.shape[0]} × {times.shape[1]}", MODE_TITLES[inputs.mode]
    text = write_csv(times)
    return Outputs(
        title=Text(f"Ma trận thời gian {mode.vi.lower()}: {size}", f"Travel times by {mode.en.lower()}: {size}"),
        base_time=travel.leaves or view.now,
        horizon_hours=0.0,
        summary={
            "mode": inputs.mode,
            "durations": [
                [value if there else None for value, there in zip(row, is_known, strict=True)]
                for row, is_known in zip(np.round(times, 1).tolist(), known.tolist(), strict=True)
            ],
            "reached": round(float(known.mean()), 4),
            "origins": tell_snaps(travel, origins),
            "destinations": tell_snaps(travel, destinations),
            **({"csv": text} if inputs.as_csv else {}),
            **tell_conditions(travel),
        },
        parameters={"stamp": travel.roads.stamp, "engine": travel.costs.router.engine},
        files={CSV_NAME: text.encode()},
    )


def write_csv(times: Values) -> str:
    """Return the table: place in origins, place in destinations (from 0), seconds; empty where there is no way."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(("origin", "destination", "duration"))
    for row, values in enumerate(times.tolist()):
        writer.writerows(
            (row, column, round(value, 1) if np.isfinite(value) else "") for column, value in enumerate(values)
        )
    return made.getvalue()


PROCESS = Process(
    id="travel-matrix",
    title=Text("Ma trận thời gian đi", "Travel matrix"),
    description=Text(
        "Thời gian đi giữa tối đa 500 × 500 điểm, theo phương tiện, giờ đi, đường cấm, đường ngập; JSON hoặc CSV.",
        "Travel times between up to 500 × 500 places, by mode, time of departure, closures and water; JSON or CSV.",
    ),
    inputs=TravelMatrixInputs,
    outputs=(),
    compute=compute,
    immediate=True,
    access="public",
)
