"""Whatever is given wrongly, at whichever door: one line that names it, and nothing changed or half-written."""

import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import psycopg
import pytest
import shapely
from psycopg import sql
from starlette.testclient import TestClient

from api.app import create_app
from layers.store.engine import open_engine
from layers.store.migrate import migrate
from tests.api.conftest import CITY, TREE_TILE, fill, fill_rasters
from tests.conftest import ROOT
from twin.cli import main
from twin.settings import Settings

MEGABYTES_10 = 10_000_000
TREES = "/api/collections/trees/items"
SCRIPT = "<script>alert(1)</script>"
QUOTED = "%3Cscript%3Ealert(1)%3C%2Fscript%3E"


@dataclass(frozen=True)
class Said:
    """What a command left behind: exit code and both outputs."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]
Counts = dict[str, int]


@pytest.fixture(scope="module")
def database_url(make_database: Callable[..., str]) -> str:
    """URL of a database with the small city of the API's tests."""
    url = make_database("bad_input")
    engine = open_engine(url)
    migrate(engine, "test", "EPSG:5897", CITY)
    fill(engine)
    engine.dispose()
    return url


@pytest.fixture(scope="module")
def data_dir(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the city's files, with its rasters."""
    folder = tmp_path_factory.mktemp("data")
    engine = open_engine(database_url)
    fill_rasters(engine, folder / "processed")
    engine.dispose()
    return folder


@pytest.fixture(scope="module")
def client(database_url: str, data_dir: Path) -> Iterator[TestClient]:
    """HTTP client of a server on the same database; its own errors come as answers."""
    settings = Settings(database_url=database_url, data_dir=data_dir, web_dir=data_dir / "web", tile_cache_mb=8)
    with TestClient(
        create_app(settings), "http://127.0.0.1:8000", client=("127.0.0.1", 50_000), raise_server_exceptions=False
    ) as opened:
        yield opened


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder the user stands in, with all the bad files in it."""
    folder = tmp_path_factory.mktemp("place")
    with warnings.catch_warnings():
        # One of the files has no CRS on purpose.
        warnings.simplefilter("ignore", UserWarning)
        write_files(folder)
    return folder


@pytest.fixture
def run(
    database_url: str, data_dir: Path, place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Return a function that goes through the door of ``twin`` in this process: starting one takes seconds."""

    def call(*words: str, url: str = database_url, **settings: str) -> Said:
        given = {"TWIN_DATABASE_URL": url, "TWIN_DATA_DIR": str(data_dir), **settings}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(place)
        monkeypatch.setattr(sys, "argv", ["twin", *words])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        said = capfd.readouterr()
        assert isinstance(left.value.code, int)
        return Said(left.value.code, said.out, said.err)

    return call


def write_files(folder: Path) -> None:
    """Write the files that are wrong in one way each."""
    points = shapely.points([105.75, 105.76], [10.02, 10.03])
    trees = gpd.GeoDataFrame({"id": ["a", "b"], "height": [3.0, 4.0]}, geometry=points, crs="EPSG:4326")
    trees.to_file(folder / "trees.gpkg")
    trees.set_geometry(shapely.buffer(points, 0.001), crs="EPSG:4326").to_file(folder / "areas.gpkg")
    trees.set_geometry(shapely.points([586_000.0, 586_010.0], [1_109_000.0, 1_109_000.0])).set_crs(
        "EPSG:4326", allow_override=True
    ).to_file(folder / "metres.gpkg")
    trees.set_crs(None, allow_override=True).to_file(folder / "nowhere.fgb")
    trees.iloc[:0].to_file(folder / "empty.gpkg")
    (folder / "nothing.csv").write_text("id,lon,lat\n")
    trees.to_file(folder / "t.shp.zip", driver="ESRI Shapefile")
    whole = (folder / "t.shp.zip").read_bytes()
    (folder / "t.shp.zip").unlink()
    (folder / "cut.zip").write_bytes(whole[: len(whole) // 2])
    vertices = ",".join(["105.75 10.02"] * (MEGABYTES_10 // 13))
    (folder / "long.csv").write_text(f'id,wkt\na,"LINESTRING({vertices})"\n')
    rule = "layers:\n  - layer: trees\n    id: id\n"
    (folder / "wkt.yml").write_text(f"crs: EPSG:4326\n{rule}    geometry: {{wkt: wkt}}\n")
    (folder / "unknown.yml").write_text(f"{rule}    properties: {{colour: height}}\n")
    (folder / "absent.yml").write_text(f"{rule}    properties: {{height: tallness}}\n")
    (folder / "broken.yml").write_text("layers: [\n")


def count_rows(url: str) -> Counts:
    """Return the rows of every table."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables "
            "where schemaname in ('city', 'history', 'meta', 'sensing', 'run', 'queue')"
        ).fetchall()
        query = sql.SQL(" union all ").join(
            sql.SQL("select {}::text, count(*) from {}").format(f"{schema}.{name}", sql.Identifier(schema, name))
            for schema, name in tables
        )
        return dict(connection.execute(query).fetchall())


def list_files(*folders: Path) -> dict[str, int]:
    """Return every file below the folders with its size."""
    return {str(path): path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file()}


def assert_one_line(said: Said, named: str) -> None:
    assert said.code in (1, 2), said
    assert said.out == ""
    assert len(said.err.splitlines()) == 1, said.err[:2000]
    assert said.err.startswith("twin: ")
    assert named in said.err
    assert len(said.err) < 1000
    assert "Traceback" not in said.err


COMMANDS = [
    ("load missing.gpkg --layer trees", "missing.gpkg does not exist"),
    ("load trees.gpkg --layer dragons", "layer 'dragons' is not declared"),
    ("load trees.gpkg --layer trees --crs EPSG:999999", "EPSG:999999"),
    ("load trees.gpkg --layer trees --crs EPSG:5897", "EPSG:5897"),
    ("load metres.gpkg --layer trees", "metres.gpkg"),
    ("load nowhere.fgb --layer trees", "nowhere.fgb"),
    ("load empty.gpkg --layer trees", "empty.gpkg"),
    ("load nothing.csv --layer trees", "nothing.csv has a header but no rows"),
    ("load trees.gpkg --table palms --layer trees", "no table 'palms'"),
    ("load trees.gpkg --mapping unknown.yml", "'colour'"),
    ("load trees.gpkg --mapping absent.yml", "'tallness'"),
    ("load trees.gpkg --mapping broken.yml", "broken.yml"),
    ("load trees.gpkg --mapping gone.yml", "gone.yml"),
    ("load areas.gpkg --layer trees", "every geometry is Polygon, the layer holds Point"),
    ("load cut.zip --layer trees", "cut.zip is not a whole zip file"),
    ("load --catalog --source dragons", "catalog"),
    ("run divination", "process 'divination' does not exist"),
    ("run flood-scenario -i storm_depth=-5", "input 'storm_depth'"),
    ("run flood-scenario -i storm_hours=0", "input 'storm_hours'"),
    ("run flood-scenario -i cell_size=-10", "input 'cell_size'"),
    ("run flood-scenario -i stage_level=nan", "input 'stage_level'"),
    ("run flood-scenario -i colour=red", "no input 'colour'"),
    ("run flood-scenario -i storm_depth", "'storm_depth' is not of the form name=value"),
    ("run flood-scenario -i breaches=[{", "input 'breaches' is not JSON"),
    ("run flood-forecast -i issue_time=yesterday", "input 'issue_time'"),
    ("run flood-forecast -i storm_depth=5", "no input 'storm_depth'"),
    ("export dragons --to a.gpkg", "layer 'dragons' is not declared"),
    ("export trees --to a.doc", "'.doc' cannot be written"),
    ("export trees --to nowhere/a.gpkg", "folder nowhere does not exist"),
    ("export trees --to a.gpkg --bbox 1,2", "bbox '1,2' is not four numbers"),
    ("export trees --to a.gpkg --crs EPSG:0", "EPSG:0"),
    ("export terrain --to a.gpkg", "'terrain'"),
    ("quarantine export --to a.doc", "'.doc'"),
    ("quarantine export --to a.xlsx", "there is no rejected row to write to a.xlsx"),
    ("jobs show none", "run 'none'"),
    ("jobs cancel none", "run 'none'"),
    (f"jobs show {SCRIPT}", SCRIPT),
    ("jobs prune --keep -1", "keep -1"),
    ("jobs list --limit abc", "--limit"),
    ("jobs list --status odd", "'odd'"),
    ("scene none --to a.html", "run 'none'"),
    ("sensors latest --kind dragon", "'dragon'"),
    ("jobs list --process divination", "process 'divination'"),
    ("nonsense", "'nonsense'"),
    ("export trees", "--to"),
    ("layers --colour", "--colour"),
]


@pytest.mark.parametrize(("words", "named"), COMMANDS, ids=[words for words, _ in COMMANDS])
def test_a_wrong_command_is_one_line(
    run: Run, database_url: str, data_dir: Path, place: Path, words: str, named: str
) -> None:
    before = count_rows(database_url), list_files(place, data_dir)
    assert_one_line(run(*words.split()), named)
    assert (count_rows(database_url), list_files(place, data_dir)) == before


def test_a_row_that_cannot_be_stored_is_quarantined_with_its_reason(run: Run, database_url: str) -> None:
    before = count_rows(database_url)
    said = run("load", "long.csv", "--mapping", "wkt.yml")
    after = count_rows(database_url)
    assert said.code == 0
    assert "geometry text longer than 1000000 characters" in said.out
    assert after["city.trees"] == before["city.trees"]
    assert after["meta.quarantine"] > before["meta.quarantine"]
    with psycopg.connect(database_url) as connection:
        (longest,) = connection.execute("select max(pg_column_size(t.*)) from meta.quarantine t").fetchone() or (0,)
    assert longest < 100_000


def test_a_forecast_of_a_time_without_readings_is_recorded_as_failed_and_writes_nothing(
    run: Run, database_url: str, data_dir: Path
) -> None:
    before = count_rows(database_url), list_files(data_dir)
    said = run("run", "flood-forecast", "-i", "issue_time=2001-01-01T00:00:00Z")
    assert "2001-01-01T00:00:00Z" in said.err
    assert said.code == 1
    assert "Traceback" not in said.err
    assert len(said.err.splitlines()) == 1, said.err
    rows, files = count_rows(database_url), list_files(data_dir)
    assert files == before[1]
    assert {name for name in rows if rows[name] != before[0][name]} == {"run.run"}
    with psycopg.connect(database_url) as connection:
        newest = connection.execute("select status, error->>'message' from run.run order by created desc").fetchone()
    assert newest is not None
    assert newest[0] == "failed"
    assert "2001-01-01" in newest[1]


ON_A_DATABASE = (
    "db status", "load trees.gpkg --layer trees", "export trees --to a.gpkg", "layers", "quarantine list",
    "quarantine export --to a.csv", "jobs list", "jobs show x", "jobs cancel x", "jobs prune", "sensors list",
    "sensors latest", "scene x --to a.html", "run flood-forecast", "run flood-forecast --queue", "worker --once",
)  # fmt: skip


@pytest.mark.parametrize("words", ON_A_DATABASE)
def test_a_database_that_cannot_be_reached_is_named(run: Run, place: Path, words: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    before = list_files(place)
    said = run(*words.split(), url=f"postgresql://someone:secret@127.0.0.1:{port}/city")
    assert_one_line(said, f"127.0.0.1:{port}/city cannot be reached")
    assert "secret" not in said.err
    assert list_files(place) == before


@pytest.fixture(scope="module")
def bare_url(cluster_url: str) -> Iterator[str]:
    """URL of a database nobody migrated."""
    with psycopg.connect(cluster_url, autocommit=True) as connection:
        connection.execute("drop database if exists bare_bad_input with (force)")
        connection.execute("create database bare_bad_input")
        yield f"{cluster_url.rsplit('/', 1)[0]}/bare_bad_input"
        connection.execute("drop database if exists bare_bad_input with (force)")


@pytest.mark.parametrize("words", ON_A_DATABASE)
def test_a_database_without_tables_says_what_to_type(run: Run, bare_url: str, words: str) -> None:
    assert_one_line(run(*words.split(), url=bare_url), "twin db migrate")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWIN_PORT", "abc"),
        ("TWIN_DATABASE_URL", "not an address"),
        ("TWIN_DATABASE_URL", "mysql://a/b"),
        ("TWIN_DATABASE_URL", "postgresql://a:port/b"),
        ("TWIN_STATEMENT_TIMEOUT", "-1"),
    ],
)
def test_a_wrong_setting_is_named(run: Run, name: str, value: str) -> None:
    said = run("db", "status", **({"url": value} if name == "TWIN_DATABASE_URL" else {name: value}))
    assert_one_line(said, "database" if name == "TWIN_DATABASE_URL" else name)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("load missing.gpkg --layer trees", "missing.gpkg does not exist"),
        ("run flood-scenario -i storm_depth=-5", "storm_depth"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_process_of_its_own_ends_the_same_way(database_url: str, place: Path, words: str, named: str) -> None:
    settings = {**os.environ, "TWIN_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "twin", *words.split()]
    done = subprocess.run(command, cwd=place, env=settings, capture_output=True, text=True, check=False, timeout=120)
    assert_one_line(Said(done.returncode, done.stdout, done.stderr), named)


ADDRESSES = [
    (f"{TREES}?bbox=1,2", 400, "bbox '1,2' has 2 numbers"),
    (f"{TREES}?colour=red", 400, "'colour'"),
    (f"{TREES}?limit=abc", 400, "limit 'abc'"),
    (f"{TREES}?cursor=garbage", 400, "cursor 'garbage'"),
    (f"{TREES}?datetime=garbage", 400, "datetime 'garbage'"),
    (f"{TREES}?{QUOTED}=1", 400, SCRIPT),
    (f"{TREES}?species={'x' * 9000}&nothing=1", 400, "'nothing'"),
    (f"{TREES}/{QUOTED}", 404, SCRIPT),
    (f"/api/collections/{QUOTED.replace('%2F', '-')}", 404, "<script>"),
    ("/api/collections/dragons", 404, "'dragons'"),
    ("/tiles/trees/16/70000/1.mvt", 400, "column x 70000"),
    ("/tiles/trees/99/0/0.mvt", 400, "zoom 99"),
    ("/tiles/dragons/3/0/0.mvt", 404, "'dragons'"),
    (f"/tiles/trees/{TREE_TILE}.mvt?colour=red", 400, "'colour'"),
    ("/tiles/raster/dragons/3/0/0.png", 404, "'dragons'"),
    ("/tiles/raster/dragons.tif", 404, "'dragons'"),
    ("/tiles/raster/terrain/16/70000/1.png", 400, "70000"),
    ("/tiles/raster/terrain/point?lon=a&lat=1", 400, "lon 'a'"),
    ("/api/styles/pink", 404, "'pink'"),
    ("/api/jobs/none", 404, "'none'"),
    ("/api/jobs/none/results", 404, "'none'"),
    (f"/api/jobs/{QUOTED.replace('%2F', '-')}", 404, "<script>"),
    ("/api/jobs?status=odd", 400, "status 'odd'"),
    ("/api/runs/none", 404, "'none'"),
    ("/api/processes/divination", 404, "'divination'"),
    ("/sensors/latest?bbox=1,2", 400, "bbox '1,2' has 2 numbers"),
    ("/sensors/latest?since=garbage", 400, "since 'garbage'"),
    ("/sensors/latest?kind=dragon", 400, "kind 'dragon'"),
    ("/sensors/datastreams/none/observations", 404, "'none'"),
    ("/sensors/datastreams/none/forecast", 404, "'none'"),
    ("/sensors/datastreams/S-1.stage/observations?start=garbage", 400, "start 'garbage'"),
    ("/sensors/datastreams/S-1.stage/observations?max_points=0", 400, "max_points '0'"),
]


def assert_problem(answer: object, status: int, named: str) -> None:
    assert answer.status_code == status, answer.text  # type: ignore[attr-defined]
    assert answer.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    assert answer.headers["x-content-type-options"] == "nosniff"  # type: ignore[attr-defined]
    assert named in answer.json()["detail"]  # type: ignore[attr-defined]
    assert "Traceback" not in answer.text  # type: ignore[attr-defined]


@pytest.mark.parametrize(("path", "status", "named"), ADDRESSES, ids=[path[:70] for path, _, _ in ADDRESSES])
def test_a_wrong_address_is_a_problem_document(client: TestClient, path: str, status: int, named: str) -> None:
    assert_problem(client.get(path), status, named)


@pytest.mark.parametrize(
    ("process", "body", "status", "named"),
    [
        ("divination", b'{"inputs": {}}', 404, "'divination'"),
        (QUOTED.replace("%2F", "-"), b'{"inputs": {}}', 404, "<script>"),
        ("flood-scenario", b'{"inputs": {"storm_depth": -5}}', 400, "'storm_depth'"),
        ("flood-scenario", b'{"inputs": {"stage_level": 1e999}}', 400, "JSON"),
        ("flood-scenario", b'{"inputs": {"colour": 1}}', 400, "'colour'"),
        ("flood-scenario", b'{"inputs": [1]}', 400, "inputs"),
        ("flood-scenario", b'{"wishes": {}}', 400, "'wishes'"),
        ("flood-scenario", b"{", 400, "not JSON"),
        ("flood-scenario", b"[]", 400, "not a JSON object"),
        ("flood-forecast", b'{"inputs": {"issue_time": "yesterday"}}', 400, "'issue_time'"),
        ("flood-scenario", b'{"inputs": {"gauge": "' + b"x" * MEGABYTES_10 + b'"}}', 413, "larger than"),
        ("flood-scenario", b"[" * 100_000, 400, "JSON"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_wrong_execution_request_queues_nothing(
    client: TestClient, database_url: str, process: str, body: bytes, status: int, named: str
) -> None:
    before = count_rows(database_url)
    headers = {"content-type": "application/json"}
    answer = client.post(f"/api/processes/{process}/execution", content=body, headers=headers)
    assert_problem(answer, status, named)
    assert len(answer.text) < 2000
    assert count_rows(database_url) == before


def test_a_window_without_readings_is_empty_and_no_error(client: TestClient) -> None:
    window = {"start": "2001-01-01T00:00:00Z", "end": "2001-01-02T00:00:00Z"}
    answer = client.get("/sensors/datastreams/S-1.stage/observations", params=window)
    assert answer.status_code == 200
    assert answer.json()["times"] == answer.json()["results"] == []


def test_what_was_asked_is_never_answered_as_a_page(client: TestClient) -> None:
    for path in (f"/api/styles/{QUOTED}", f"/{QUOTED}", f"/tiles/{QUOTED}.json", f"/tiles/raster/{QUOTED}.json"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
