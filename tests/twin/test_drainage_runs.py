"""Drainage runs of a small city on a real PostGIS: of its layers, of imported models, profiles, capacity, the API."""

from collections.abc import Callable, Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.app import create_app
from hydrology.drainage import RoutingTotals
from hydrology.swmm_run import WaterAccount
from layers.datum import CRS84, make_transformer
from layers.errors import InputError, MassBalanceError, NotFoundError
from layers.registry import read_vector_layer
from layers.store.engine import open_engine
from layers.store.features import select_features, upsert_features
from tests.hydrology.test_swmm_run import MODEL
from twin.process import parse_inputs
from twin.processes.drainage_capacity import PROCESS as CAPACITY
from twin.processes.drainage_run import PROCESS
from twin.runs import execute, submit_run
from twin.settings import Settings
from twin.store import RunRow
from twin.swmm.importing import import_model
from twin.swmm.running import check_account

CRS = "EPSG:5897"
X0, Y0 = 580_000.0, 1_108_000.0
NODES = (
    ("A", "inlet", 0.0, 2.4, 1.0),
    ("B", "manhole", 100.0, 2.4, 0.8),
    ("C", "manhole", 180.0, 2.5, 0.6),
    ("O", "outfall", 300.0, 2.0, 0.2),
)
LINKS = (("P1", "A", "B", 0.5), ("P2", "B", "C", 0.6), ("P3", "C", "O", 0.7))
DRAWN = "[COORDINATES]\nA 0 0\nB 100 0\nC 180 0\nO 300 0\n"
AREA = list(make_transformer(CRS, CRS84).transform_bounds(X0 - 500.0, Y0 - 500.0, X0 + 500.0, Y0 + 500.0))
STORM = {"storm_depth": 60.0, "storm_hours": 1.0, "hours": 2.0, "stage_level": 0.9, "bounds": AREA}
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def settings(make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a city of its own with three pipes and a catchment, and an imported model beside it."""
    folder = tmp_path_factory.mktemp("drains")
    made = Settings(database_url=make_database("drainage_runs"), data_dir=folder, web_dir=folder / "web")
    engine = open_engine(made.database_url or "")
    place = {name: (X0 + along, Y0) for name, _, along, _, _ in NODES}
    with engine.begin() as connection:
        for layer, rows in (
            ("drainage_nodes", [
                {"id": name, "node_type": kind, "ground_elevation": rim, "invert_elevation": invert,
                 "geometry": shapely.Point(place[name])} for name, kind, _, rim, invert in NODES
            ]),
            ("drainage_links", [
                {"id": name, "link_type": "conduit", "from_node": start, "to_node": end, "shape": "circular",
                 "height": height, "mannings_n": 0.013, "geometry": shapely.LineString([place[start], place[end]])}
                for name, start, end, height in LINKS
            ]),
            ("catchments", [
                {"id": "S", "outlet_node": "A", "impervious": 0.8,
                 "geometry": shapely.MultiPolygon([shapely.box(X0 - 200, Y0 - 100, X0, Y0 + 100)])}
            ]),
        ):  # fmt: skip
            frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)
            upsert_features(connection, read_vector_layer(layer), frame, source_id="drains")
        # Outside AREA.
        path = folder / "pipes.inp"
        path.write_text(MODEL + DRAWN)
        import_model(connection, path, origin=(105.80, 10.03))
    engine.dispose()
    return made


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Engine]:
    """The city's database."""
    opened = open_engine(settings.database_url or "")
    yield opened
    opened.dispose()


def carry_out(engine: Engine, settings: Settings, process: str, **inputs: Any) -> RunRow:
    return execute(engine, settings, submit_run(engine, process, inputs))


@pytest.fixture(scope="module")
def blocked(engine: Engine, settings: Settings) -> RunRow:
    """The storm on the layers with the middle pipe blocked, against the base."""
    return carry_out(engine, settings, "drainage-run", **STORM, blockages=[{"filter": "height = 0.6", "share": 0.7}])


def read_items(engine: Engine, layer: str, run: RunRow) -> gpd.GeoDataFrame:
    with engine.connect() as connection:
        return select_features(connection, read_vector_layer(layer), equals={"run_id": run.id})


def test_a_run_of_the_layers_draws_what_floods_and_what_is_full(engine: Engine, blocked: RunRow) -> None:
    nodes = read_items(engine, "drainage_node_results", blocked).set_index("node_id")
    links = read_items(engine, "drainage_link_results", blocked).set_index("link_id")
    assert set(nodes.index) == {"A", "B", "C", "O"} and set(links.index) == {"P1", "P2", "P3"}
    assert nodes.loc["A", "flooding_class"] in ("flooded", "flooded_much")
    assert nodes.loc["A", "flooding_volume"] > 0.0 and nodes.loc["B", "max_head"] <= nodes.loc["B", "rim"] + 1e-6
    assert nodes.loc["O", "max_head"] == pytest.approx(0.9, abs=1e-3)
    assert links.loc["P1", "use_class"] in ("full", "overloaded") and links.loc["P1", "full_time"] > 0.0
    assert links.geometry.iloc[0].length == pytest.approx(100.0)
    assert nodes["peak_time"].notna().sum() >= 3


def test_a_blockage_is_told_against_the_base(engine: Engine, blocked: RunRow) -> None:
    summary = blocked.summary["drainage"]
    assert summary["edits"] == [{"edit": "blockage", "links": 1, "ids": ["P2"], "share": 0.7}]
    flooding = summary["comparison"]["flooding_volume"]
    assert flooding["change"] > 10.0 and flooding["after"] == summary["flooding_volume"]
    nodes = read_items(engine, "drainage_node_results", blocked)
    assert nodes["flooding_change"].sum() == pytest.approx(flooding["change"], abs=0.2)


def test_the_balance_of_a_run_is_published(blocked: RunRow) -> None:
    balance = blocked.balance
    assert max(abs(balance[name]) for name in ("runoff_error", "routing_error", "outfall_error")) <= 0.005
    assert abs(balance["relative_error"]) <= 0.005
    # 60 mm on 4 ha.
    assert balance["rain"] == pytest.approx(0.060 * 4.0e4, rel=1.0e-3)
    assert blocked.provenance["mass_balance_error"] == balance["relative_error"]
    assert float(blocked.provenance["parameters"]["options"]["ROUTING_STEP"]) <= 2.0


def test_an_account_that_does_not_close_fails_loudly() -> None:
    nothing = RoutingTotals(0.0, 100.0, 0.0, 0.0, 0.0, 100.0, 0.0, 0.0, 0.0, 0.0)
    lost = WaterAccount(nothing, 120.0, 0.001, -0.0051, 100.0, 0.0)
    with pytest.raises(MassBalanceError, match=r"routing -0\.51%"):
        check_account("model", lost)
    check_account("model", lost, allow=True)
    check_account("model", WaterAccount(nothing, 120.0, 0.001, 0.0049, 100.0, 0.0))


def test_capacity_is_drawn_by_the_smallest_storm(engine: Engine, settings: Settings) -> None:
    run = carry_out(
        engine, settings, "drainage-capacity", storm_curve=[600.0, 0.9, 5.0, 0.6], storm_hours=1.0, hours=1.5,
        return_periods=[100], bounds=AREA,
    )  # fmt: skip
    links = read_items(engine, "drainage_capacity", run).set_index("link_id")
    nodes = read_items(engine, "drainage_capacity_nodes", run)
    tables = run.summary["capacity"]
    assert tables["length"] == sum(row["length"] for row in tables["classes"]) == pytest.approx(300.0, abs=0.5)
    assert tables["storms"][0]["full_length"] == tables["classes"][0]["length"] > 0.0
    assert set(links["fills_at"]) == {"p100", "none"}
    for row in tables["classes"]:
        own = "none" if row["return_period"] is None else f"p{row['return_period']}"
        assert row["links"] == (links["fills_at"] == own).sum()
        assert row["nodes"] == (nodes["floods_at"] == own).sum()
    assert abs(run.balance["relative_error"]) <= 0.005


def test_critical_pipes_of_an_imported_model_are_ranked(engine: Engine, settings: Settings) -> None:
    run = carry_out(engine, settings, "drainage-criticality", model="pipes", count=1, share=0.8)
    found = run.summary["criticality"]
    rows = found["links"]
    assert len(rows) == 1
    assert rows[0]["flooding_change"] > 0.0 and rows[0]["id"].startswith("pipes.")
    # Its own rain: 20, 140 and 10 mm/h for 20 minutes each on 4 ha.
    assert found["base"]["rain"] == pytest.approx(4.0e4 * (20.0 + 140.0 + 10.0) / 3.0 / 1000.0, abs=0.1)
    assert run.base_time.isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def client(settings: Settings, blocked: RunRow) -> Iterator[TestClient]:
    """HTTP client of the city with the run in it."""
    app = create_app(settings)
    with TestClient(app, ADDRESS, client=("127.0.0.1", 50_000), raise_server_exceptions=False) as opened:
        yield opened


def test_series_and_profile_over_http(client: TestClient, blocked: RunRow) -> None:
    base = f"/api/runs/{blocked.id}/drainage"
    node = client.get(f"{base}/series", params={"node": "B"}).json()
    assert len(node["times"]) == len(node["depth"]) == len(node["inflow"]) == 24
    assert node["seconds"][-1] == 7200.0 and node["units"]["depth"] == "m"
    link = client.get(f"{base}/series", params={"link": "P3"}).json()
    assert max(link["flow"]) > 0.05 and set(link["units"]) == {"flow", "depth", "velocity"}
    assert max(client.get(f"{base}/series").json()["outflow"]) > 0.05
    profile = client.get(f"{base}/profile", params={"from": "A", "to": "O", "hours": 1.0}).json()
    assert profile["stations"]["id"] == ["A", "B", "C", "O"] and profile["reaches"]["id"] == ["P1", "P2", "P3"]
    assert profile["length"] == pytest.approx(300.0) and profile["at"] == 3600.0
    assert "A" in profile["flooded"] and "P1" in profile["full"]
    beds = np.array([profile["reaches"]["start_bed"], profile["reaches"]["end_bed"]])
    # Sediment lies on the bed of the blocked pipe.
    assert beds[0, 1] > 0.8 + 0.2 and beds[0, 0] == pytest.approx(1.0)
    assert (np.array(profile["reaches"]["start_max_head"]) >= beds[0] - 1e-6).all()
    turned = client.get(f"{base}/profile", params={"from": "O", "to": "A"}).json()
    assert turned["reaches"]["against"] == [True] * 3 and turned["stations"]["head"] == [None] * 4
    picture = client.get(f"{base}/profile", params={"from": "A", "to": "O", "f": "svg"})
    assert picture.headers["content-type"] == "image/svg+xml" and picture.text.count('class="manhole"') == 4
    model = client.get(f"{base}/model")
    assert "FILLED_CIRCULAR" in model.text and ".inp" in model.headers["content-disposition"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("series?node=A&link=P1", 400),
        ("series?node=nowhere", 404),
        ("series?what=A", 400),
        ("profile?from=A", 400),
        ("profile?from=A&to=A", 400),
        ("profile?from=A&to=O&hours=99", 400),
        ("profile?from=A&to=O&hours=x", 400),
        ("profile?from=A&to=O&f=pdf", 400),
        ("profile?from=A&to=%00", 400),
    ],
)
def test_wrong_questions_are_answered(client: TestClient, blocked: RunRow, path: str, status: int) -> None:
    assert client.get(f"/api/runs/{blocked.id}/drainage/{path}").status_code == status


def test_runs_that_keep_nothing_are_not_found(client: TestClient) -> None:
    for run in ("nowhere", "..%2F..%2Fetc", "x" * 300):
        assert client.get(f"/api/runs/{run}/drainage/series").status_code == 404


def test_a_profile_is_answered_at_once(client: TestClient, blocked: RunRow) -> None:
    inputs = {"run": blocked.id, "from_node": "A", "to_node": "O", "at_hours": 0.5}
    answer = client.post("/api/processes/drainage-profile/execution", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    assert "stations" in answer.text


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"model": "x", "bounds": [105, 10, 106, 11]}, "for a model from the layers"),
        ({"bounds": [106, 10, 105, 11]}, "west, south, east, north"),
        ({"stage_level": 1.0, "stage_forecast": True}, "exclude each other"),
        ({"stage_offset": 0.3}, "set stage_forecast"),
        ({"storm_depth": 0.05}, "give mm"),
        ({"storm_depth": 50.0, "recorded_rain": True}, "exclude each other"),
        ({"storm_return_period": 5.0}, "go together"),
        ({"blockages": [{"share": 0.5}]}, "links or a filter"),
        ({"measures": [{"measure": "green_roof", "catchments": ["S"], "filter": "area > 1"}]}, "exclude each other"),
        ({"hours": 0.0}, "greater than 0"),
    ],
)
def test_inputs_that_cannot_be_are_refused(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_inputs(PROCESS, inputs)


def test_periods_without_a_class_are_refused() -> None:
    with pytest.raises(InputError, match="return_periods"):
        parse_inputs(CAPACITY, {"storm_curve": [600.0, 0.9, 5.0, 0.6], "return_periods": [3]})


def test_what_is_not_in_the_model_is_named(engine: Engine, settings: Settings) -> None:
    for inputs, message in (
        ({"blockages": [{"links": ["P9"]}]}, "'P9' is not in the model"),
        ({"model": "nowhere", "bounds": None}, "no model 'nowhere'"),
        ({"pumps_off": ["K1"]}, "pump 'K1'"),
        ({"model": "pipes", "outfalls": ["Q"], "stage_level": 1.0}, "'Q' is not in the model"),
    ):
        with pytest.raises((InputError, NotFoundError), match=message):
            carry_out(engine, settings, "drainage-run", **{"storm_depth": 30.0, **inputs})
