"""``twin scene build``: a folder any web server can serve, whole or not at all; ``twin scene RUN`` is as it was."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from sqlalchemy import Engine

from layers.errors import ConflictError, SetupError
from layers.registry import VECTOR_LAYERS
from layers.store import solids
from layers.store.engine import plain_url
from layers.store.features import upsert_features
from layers.store.solids import SOLID_LAYERS, select_tile
from layers.store.tiles import TileAddress
from tests.clients.scene_files import Glb, walk_tiles
from twin.cli import main
from twin.scenes.folder import WrittenScene, write_folder

Say = Callable[..., tuple[int, str, str]]
LAYER = SOLID_LAYERS["buildings"]
COUNT = 30


@pytest.fixture(scope="module", autouse=True)
def stored_buildings(engine: Engine) -> None:
    """Houses in a row, and one whose footprint crosses itself."""
    x, y = 580_000.0, 1_108_000.0
    shapes = [shapely.box(x + 20 * k, y, x + 20 * k + 8, y + 10) for k in range(COUNT - 1)]
    bow = shapely.Polygon([(x, y + 50), (x + 10, y + 60), (x + 10, y + 50), (x, y + 60)])
    frame = gpd.GeoDataFrame(
        {"id": [f"b{k}" for k in range(COUNT)], "height": np.linspace(4.0, 9.0, COUNT), "ground_elevation": 1.0},
        geometry=[shapely.MultiPolygon([shape]) for shape in [*shapes, bow]],
        crs="EPSG:5897",
    )
    with engine.begin() as connection:
        upsert_features(connection, VECTOR_LAYERS["buildings"], frame, source_id="s")


@pytest.fixture
def say(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Return a function that types ``twin scene …`` and gives exit code, output and errors."""
    monkeypatch.setenv("TWIN_DATABASE_URL", plain_url(engine))
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["twin", "scene", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


def read_folder(folder: Path) -> Iterator[tuple[Glb, dict[str, object]]]:
    """Yield every content the tree names, and its tile; no other file lies in the folder."""
    named = {folder / "tileset.json"}
    for tile, _ in walk_tiles(json.loads((folder / "tileset.json").read_bytes())["root"]):
        if "content" in tile:
            named.add(folder / tile["content"]["uri"])
            yield Glb.read((folder / tile["content"]["uri"]).read_bytes()), tile
    assert {path for path in folder.rglob("*") if path.is_file()} == named


def test_a_folder_holds_every_building_and_says_what_was_mended(say: Say, tmp_path: Path) -> None:
    code, out, err = say("build")
    folder = tmp_path / "data" / "processed" / "scene" / "buildings"
    assert code == 0
    assert f"{COUNT} Nhà và công trình · Buildings" in out
    assert str(folder / "tileset.json") in out
    assert f"buildings 'b{COUNT - 1}': Self-intersection, mended" in err
    rows = [row["id"] for glb, _ in read_folder(folder) for row in glb.table]
    assert sorted(rows) == sorted(f"b{k}" for k in range(COUNT))


def test_a_scene_takes_the_place_of_the_one_before_and_of_nothing_else(say: Say, tmp_path: Path) -> None:
    assert say("build", "--out", "made")[0] == 0
    (tmp_path / "made" / "old.glb").touch()
    assert say("build", "--out", "made")[0] == 0
    assert not (tmp_path / "made" / "old.glb").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep")
    code, _, err = say("build", "--out", "mine")
    assert (code, (tmp_path / "mine" / "letter.txt").read_text()) == (1, "keep")
    assert "mine holds something else than a scene" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "mine"]


def test_a_build_that_fails_leaves_the_scene_that_was_there(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "scene"
    with engine.connect() as connection:
        write_folder(connection, LAYER, folder, version="1", undulation=0.0)
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        (tmp_path / "blocked").write_text("a file where a folder should be")
        with pytest.raises(ConflictError, match="holds something else"):
            write_folder(connection, LAYER, tmp_path / "blocked", version="2", undulation=0.0)
        with pytest.raises(SetupError, match="cannot be made"):
            write_folder(connection, LAYER, tmp_path / "blocked" / "scene", version="2", undulation=0.0)
        monkeypatch.setattr("twin.scenes.folder._fill", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write_folder(connection, LAYER, folder, version="2", undulation=0.0)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blocked", "scene"]


def test_the_undulation_lifts_all_and_their_boxes(engine: Engine, tmp_path: Path) -> None:
    lows = []
    for undulation in (0.0, -8.5):
        with engine.connect() as connection:
            write_folder(connection, LAYER, tmp_path / "scene", version="1", undulation=undulation)
        found = list(read_folder(tmp_path / "scene"))
        lows.append(min(float(glb.positions[:, 2].min()) for glb, _ in found))
        boxes = [tile["content"]["boundingVolume"]["region"][4] for _, tile in found]  # type: ignore[index]
        assert min(boxes) == pytest.approx(1.0 + undulation, abs=0.06)
    assert lows[0] - lows[1] == pytest.approx(8.5, abs=1e-3)


def test_a_full_tile_keeps_the_largest_and_says_so(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.connect() as connection:
        contents = solids.list_contents(connection, LAYER)
        tile = TileAddress(*max(contents, key=lambda address: contents[address].count))
        whole = select_tile(connection, LAYER, tile)
        assert not whole.truncated
        monkeypatch.setattr(solids, "MOST_SOLIDS", 2)
        cut = select_tile(connection, LAYER, tile)
        assert cut.truncated
        assert cut.rows["height"] == sorted(whole.rows["height"], reverse=True)[:2]
        monkeypatch.setattr(solids, "MOST_SOLIDS", 100)
        monkeypatch.setattr(solids, "MOST_POINTS", 12)
        assert len(select_tile(connection, LAYER, tile).shapes) == 2
        done = write_folder(connection, LAYER, tmp_path / "scene", version="1", undulation=0.0)
    assert isinstance(done, WrittenScene)
    assert done.truncated >= 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("build", "--layer", "dragons"), "layer 'dragons' has no solids"),
        (("build", "--layer", "trees"), "layer 'trees' has no solids — one of buildings"),
        (("none", "--to", "a.html"), "run 'none'"),
        (("--to", "a.html", "none"), "run 'none'"),
        (("page", "none"), "run 'none'"),
    ],
)
def test_a_wrong_word_is_one_line_and_a_run_needs_no_word(say: Say, words: tuple[str, ...], named: str) -> None:
    code, _, err = say(*words)
    assert code == 1
    assert named in err
    assert len(err.splitlines()) == 1
