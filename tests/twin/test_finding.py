"""The command line finds, counts and exports; the examples of the page on search hold."""

import json
import re
import subprocess
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import Engine, text

from layers.errors import InputError
from layers.registry import VECTOR_LAYERS
from layers.schema import Text
from layers.store.features import upsert_features
from layers.store.query.cql2 import parse_filter
from layers.store.query.queries import QueryWords, create_query
from layers.store.query.selection import Filter, ItemQuery, build_selection
from tests.commands import run_twin
from tests.conftest import ROOT
from twin.commands.choosing import read_bbox, read_query

SCHOOL = "near(places, 50, category = 'school')"
FED = "related(lighting_circuits, circuit_id, circuit_id, cabinet_id = 'LC-7')"


@pytest.fixture(scope="module")
def city(engine: Engine) -> str:
    """URL of a city with 20 lights 10 m apart on two circuits, and a school beside the sixth."""
    x, y = 580_000.0, 1_108_000.0
    places = [shapely.Point(x + 10 * k, y) for k in range(20)]
    cables = [shapely.LineString([(x, y), (x + 10 * k + 1, y)]) for k in range(2)]
    frames = {
        "luminaires": {
            "id": [f"L{k}" for k in range(20)], "circuit_id": [f"M{k % 2}" for k in range(20)], "power": 50.0,
            "lamp_type": "led", "geometry": places,
        },
        "lighting_circuits": {
            "id": ["S0", "S1"], "circuit_id": ["M0", "M1"], "cabinet_id": ["LC-7", "LC-8"], "geometry": cables,
        },
        "places": {
            "id": ["P1"], "name": ["Trường Ngô Quyền"], "category": ["school"],
            "geometry": [shapely.Point(x + 50, y + 30)],
        },
    }  # fmt: skip
    with engine.begin() as connection:
        for layer_id, columns in frames.items():
            frame = gpd.GeoDataFrame(columns, geometry="geometry", crs="EPSG:5897")
            upsert_features(connection, VECTOR_LAYERS[layer_id], frame, source_id="test")
        connection.execute(
            text("update city.luminaires set power = 40, valid_from = clock_timestamp() where id = 'L0'")
        )
        words = QueryWords("near-school", Text("Gần trường", "Near the school"), "luminaires", SCHOOL, "-id", "power")
        create_query(connection, words, author="test")
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def run(city: str, *words: str) -> subprocess.CompletedProcess[str]:
    return run_twin(*words, settings={"TWIN_DATABASE_URL": city, "PATH": "/usr/bin"})


def test_find_shows_and_says_when_there_is_nothing(city: str) -> None:
    found = run(city, "find", "ngo", "quyen", "--json")
    assert [(row["layer"], row["id"]) for row in json.loads(found.stdout)] == [("places", "P1")]
    assert "Trường Ngô Quyền" in run(city, "find", "truong").stdout
    nothing = run(city, "find", "zzzz")
    assert (nothing.returncode, "zzzz" in nothing.stderr) == (1, True)
    assert run(city, "find", "a", "--layer", "nowhere").returncode == 1


def test_count_measures_in_groups(city: str) -> None:
    counted = run(city, "count", "luminaires", "--by", "circuit_id", "--measure", "count,sum(power)", "--json")
    assert json.loads(counted.stdout) == {
        "layer": "luminaires",
        "total": {"count": 20, "sum(power)": 990.0},
        "groups": [
            {"circuit_id": "M0", "count": 10, "sum(power)": 490.0},
            {"circuit_id": "M1", "count": 10, "sum(power)": 500.0},
        ],
        "truncated": False,
    }
    # Within 50 m of a school 30 m aside: 40 m along the street; every other light is on the circuit.
    asked = run(city, "count", "luminaires", "--where", f"{SCHOOL} and {FED}", "--json")
    assert json.loads(asked.stdout)["total"] == {"count": 4}
    wrong = run(city, "count", "luminaires", "--by", "nothing")
    assert wrong.returncode == 1 and wrong.stderr.count("\n") == 1 and "nothing" in wrong.stderr


def test_export_writes_what_is_chosen(city: str, tmp_path: Path) -> None:
    target = tmp_path / "lights.geojson"
    done = run(city, "export", "luminaires", "--to", str(target), "--filter", f"{SCHOOL} and {FED}")
    assert done.returncode == 0, done.stderr
    assert sorted(gpd.read_file(target)["id"]) == ["L2", "L4", "L6", "L8"]
    saved = tmp_path / "saved.csv"
    assert run(city, "export", "--to", str(saved), "--query", "near-school").returncode == 0
    lines = saved.read_text().splitlines()
    assert lines[0].startswith("id,power,") and lines[1].startswith("L9,") and len(lines) == 10
    before = tmp_path / "before.csv"
    assert run(city, "export", "luminaires", "--to", str(before), "--at", "2001-01-01").returncode == 0
    assert len(before.read_text().splitlines()) == 1
    for wrong in ([], ["luminaires", "--query", "near-school"], ["luminaires", "--at", "soon"], ["--query", "none"]):
        refused = run(city, "export", "--to", str(target), *wrong)
        assert refused.returncode == 1 and refused.stderr.startswith("twin: ")


def test_what_is_chosen_is_checked() -> None:
    assert read_query("power > 3", None, bbox="105,10,106,11", at="2020-01-01").bounds == (105, 10, 106, 11)
    for wrong in ("1,2,3", "a,b,c,d", "3,0,1,1"):
        with pytest.raises(InputError):
            read_bbox(wrong)


def test_the_filter_of_the_page_on_search_holds() -> None:
    page = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
    block = next(found for found in re.findall(r"```\n(.*?)```", page, re.DOTALL) if found.startswith("near("))
    selection = build_selection(VECTOR_LAYERS["luminaires"], ItemQuery(filters=(Filter(parse_filter(block)),)))
    assert {"school", "LC-00027"} <= set(selection.values.values())
