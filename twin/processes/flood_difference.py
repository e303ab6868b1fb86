"""Flood difference: where the deepest water of one finished run is deeper or shallower than that of another."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hydrology.comparison import compare_depths
from layers.errors import InputError, NotFoundError
from layers.grid import Grid
from layers.schema import Text
from layers.store.rasters import read_grid
from twin.process import CityView, Inputs, Outputs, Process, Progress, RasterOutput, describe

_DEEPEST = "flood_depth_max"
Depths = NDArray[np.float32]


class FloodDifferenceInputs(Inputs):
    """Which two runs."""

    before: str = describe(
        Text("Lần tính gốc", "Run before"),
        Text("Mã lần tính ngập để so sánh với nó.", "Id of the flood run that is compared with."),
        min_length=1,
        max_length=100,
    )
    after: str = describe(
        Text("Lần tính so sánh", "Run after"),
        Text("Mã lần tính ngập được so sánh: sâu hơn là dương.", "Id of the flood run that is compared: deeper is +."),
        min_length=1,
        max_length=100,
    )


def compute(view: CityView, inputs: FloodDifferenceInputs, progress: Progress) -> Outputs:
    """Return the change of the deepest water. Raises NotFoundError for a run without depths, InputError for one twice.

    Cells are those of the run after; each is held to the cell of the run before that its centre lies in.
    """
    if inputs.before == inputs.after:
        raise InputError("'before' and 'after' name the same run", hint="give two runs")
    progress.report(0.1, "độ sâu của hai lần tính — depths of both runs")
    before, before_grid = _read_deepest(view, inputs.before)
    after, grid = _read_deepest(view, inputs.after)
    if before_grid.crs != grid.crs:
        raise InputError(f"the runs lie in {before_grid.crs} and {grid.crs}, expected one system of coordinates")
    change = compare_depths(_sample(before, before_grid, grid), after)
    if not np.isfinite(change.change).any():
        raise InputError("the two runs share no ground", hint="give runs of the same area")
    area = grid.cell_area
    return Outputs(
        title=Text("Chênh lệch ngập giữa hai lần tính", "Difference between two floods"),
        base_time=view.now,
        horizon_hours=0.0,
        rasters={"flood_depth_change": RasterOutput(change.change, grid)},
        summary={
            "difference": {
                "before": inputs.before,
                "after": inputs.after,
                "wetted_area": float(change.wetted.sum()) * area,
                "dried_area": float(change.dried.sum()) * area,
                "largest_rise": float(np.nanmax(change.change)),
                "largest_fall": float(np.nanmin(change.change)),
            }
        },
    )


def _read_deepest(view: CityView, run_id: str) -> tuple[Depths, Grid]:
    path: Path = view.find_run_folder(run_id) / f"{_DEEPEST}.tif"
    if not path.exists():
        raise NotFoundError(
            f"run '{run_id[:80]}' wrote no largest depth", hint="give runs of flood-forecast, -scenario or -ensemble"
        )
    return read_grid(path)


def _sample(values: Depths, of: Grid, grid: Grid) -> Depths:
    """Return the values at the cell centres of another grid (rows, cols), NaN outside."""
    x, y = grid.centres()
    xs, ys = np.meshgrid(x, y)
    row, col, inside = of.cells(xs, ys)
    return np.where(inside, values[row, col], np.float32(np.nan))


PROCESS = Process(
    id="flood-difference",
    title=Text("Chênh lệch ngập giữa hai lần tính", "Flood difference"),
    description=Text(
        "Hai lần tính đã có khác nhau ở đâu: nơi ngập thêm, nơi bớt ngập, sâu hơn bao nhiêu.",
        "Where two finished runs differ: ground newly flooded, ground freed, by how much the water is deeper.",
    ),
    inputs=FloodDifferenceInputs,
    outputs=("flood_depth_change",),
    compute=compute,
)
