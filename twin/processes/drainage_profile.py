"""Long profile: the drains between two nodes of a run, with the highest water and that of a time."""

from layers.schema import Text
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe
from twin.swmm.profile import read_profile
from twin.swmm.results_files import open_results


class DrainageProfileInputs(Inputs):
    """What a long profile is asked."""

    run: str = describe(
        Text("Lần chạy", "Run"),
        Text("Mã lần mô phỏng thoát nước.", "Id of a finished drainage run."),
        min_length=1,
        max_length=100,
    )
    from_node: str = describe(
        Text("Từ nút", "From node"),
        Text("Hố ga đầu trắc dọc.", "The node it begins at."),
        min_length=1,
        max_length=200,
    )
    to_node: str = describe(
        Text("Đến nút", "To node"), Text("Hố ga cuối trắc dọc.", "The node it ends at."), min_length=1, max_length=200
    )
    at_hours: float | None = describe(
        Text("Lúc", "At"),
        Text("Số giờ sau lúc bắt đầu, để có mực nước lúc đó.", "Hours after the start, for the levels at that time."),
        unit="h",
        default=None,
        ge=0.0,
        le=24.0 * 366,
    )


def compute(view: CityView, inputs: DrainageProfileInputs, progress: Progress) -> Outputs:
    """Return the profile in the summary. Raises NotFoundError for a run or node that is not there."""
    progress.report(0.0, "trắc dọc — profile")
    run = open_results(view.find_run_folder(inputs.run))
    at = None if inputs.at_hours is None else inputs.at_hours * 3600.0
    profile = read_profile(run, inputs.from_node, inputs.to_node, at=at)
    return Outputs(
        title=Text(
            f"Trắc dọc {inputs.from_node} – {inputs.to_node}", f"Long profile {inputs.from_node} – {inputs.to_node}"
        ),
        base_time=view.now,
        horizon_hours=0.0,
        summary={"profile": profile.to_json()},
    )


PROCESS = Process(
    id="drainage-profile",
    title=Text("Trắc dọc cống", "Long profile of drains"),
    description=Text(
        "Đáy, đỉnh cống, mặt đất, mực nước cao nhất và lúc hỏi dọc tuyến cống giữa hai hố ga của một lần mô phỏng.",
        "Bed, crown, ground, the highest water and that of a time along the drains between two nodes of a run.",
    ),
    inputs=DrainageProfileInputs,
    outputs=(),
    compute=compute,
    immediate=True,
)
