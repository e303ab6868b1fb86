"""The difference of two finished floods: signs, grids that differ, runs that cannot be compared."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from layers.errors import InputError, NotFoundError
from layers.grid import Grid
from layers.store.rasters import write_cog
from tests.twin.conftest import CRS, MemoryCity
from twin.process import Outputs, Quiet, parse_inputs
from twin.registry import PROCESSES

DIFFERENCE = PROCESSES["flood-difference"]
FINE, COARSE = Grid(4, 4, 0.0, 40.0, 10.0, CRS), Grid(2, 2, 0.0, 40.0, 20.0, CRS)


@dataclass
class CityOfRuns(MemoryCity):
    """A city whose runs keep their files in a folder."""

    folder: Path = field(default_factory=Path)

    def find_run_folder(self, run_id: str) -> Path:
        return self.folder / run_id


@pytest.fixture
def runs(tmp_path: Path) -> CityOfRuns:
    dry = np.zeros((4, 4), np.float32)
    west = dry.copy()
    west[:, :2] = 0.4
    for name, values, grid in (
        ("dry", dry, FINE),
        ("west", west, FINE),
        ("coarse", np.array([[0.1, 0.0], [0.1, 0.3]], np.float32), COARSE),
        ("elsewhere", dry, Grid(4, 4, 1000.0, 40.0, 10.0, CRS)),
    ):
        (tmp_path / name).mkdir()
        write_cog(tmp_path / name / "flood_depth_max.tif", values, grid)
    (tmp_path / "roads").mkdir()
    return CityOfRuns({}, {}, folder=tmp_path)


def compute(city: CityOfRuns, before: str, after: str) -> Outputs:
    return DIFFERENCE.compute(city, parse_inputs(DIFFERENCE, {"before": before, "after": after}), Quiet())


def test_what_is_deeper_after_is_positive_and_swapping_turns_the_signs(runs: CityOfRuns) -> None:
    there, back = compute(runs, "dry", "west"), compute(runs, "west", "dry")
    change = there.rasters["flood_depth_change"].array
    assert change[:, :2] == pytest.approx(0.4) and not change[:, 2:].any()
    np.testing.assert_allclose(back.rasters["flood_depth_change"].array, -change)
    told, turned = there.summary["difference"], back.summary["difference"]
    assert (told["wetted_area"], told["dried_area"]) == (800.0, 0.0) == (turned["dried_area"], turned["wetted_area"])
    assert told["largest_rise"] == pytest.approx(0.4) == -turned["largest_fall"]


def test_a_coarser_run_is_held_to_the_cells_of_the_finer(runs: CityOfRuns) -> None:
    change = compute(runs, "coarse", "west").rasters["flood_depth_change"].array
    expected = np.zeros((4, 4), np.float32)
    expected[:, :2], expected[2:, 2:] = 0.3, -0.3
    np.testing.assert_allclose(change, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("pair", "error", "words"),
    [
        (("dry", "dry"), InputError, "the same run"),
        (("dry", "roads"), NotFoundError, "'roads' wrote no largest depth"),
        (("dry", "elsewhere"), InputError, "share no ground"),
    ],
)
def test_runs_that_cannot_be_compared(
    runs: CityOfRuns, pair: tuple[str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        compute(runs, *pair)
