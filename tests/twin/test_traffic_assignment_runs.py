"""Traffic assignment as stored runs and from the command line, on a real PostGIS."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from layers.registry import read_vector_layer
from layers.store.engine import plain_url
from layers.store.features import upsert_features
from tests.twin.test_traffic_assignment import BRAESS, BRAESS_TRIPS, make_city
from twin.cli import app
from twin.runs import execute, submit_run
from twin.settings import Settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Settings:
    return Settings(
        data_dir=tmp_path_factory.mktemp("data"), database_url=plain_url(engine), run_dir=tmp_path_factory.mktemp("run")
    )


@pytest.fixture(scope="module", autouse=True)
def stored_city(engine: Engine) -> Iterator[None]:
    layers = ("road_links", "traffic_zones")
    city = make_city()
    with engine.begin() as connection:
        for name in layers:
            upsert_features(connection, read_vector_layer(name), city.layers[name], source_id="made")
    yield
    with engine.begin() as connection:
        for name in (*layers, "traffic_flows"):
            connection.execute(text(f"delete from city.{name}"))


def test_a_run_of_the_city_is_kept_and_another_starts_from_it(engine: Engine, settings: Settings) -> None:
    first = execute(engine, settings, submit_run(engine, "traffic-assignment", {"gap": 1e-8}))
    assert first.status == "successful"
    assert first.summary is not None
    assert first.summary["assignment"]["balanced"]
    with engine.connect() as connection:
        stored = connection.execute(
            text("select count(*), sum(flow) from city.traffic_flows where run_id = :run"), {"run": first.id}
        ).one()
    assert stored[0] > 100
    folder = settings.processed_dir / "runs" / first.id
    with (folder / "flows.csv").open(newline="") as file:
        flows = list(csv.DictReader(file))
    assert sum(float(row["flow"]) for row in flows) == pytest.approx(float(stored[1]), rel=1e-3)
    second = execute(
        engine, settings, submit_run(engine, "traffic-assignment", {"gap": 1e-8, "closed": ["S4"], "base": first.id})
    )
    assert second.status == "successful"
    with engine.connect() as connection:
        worst = connection.execute(
            text("select min(flow_change) from city.traffic_flows where run_id = :run and road_link_id = 'S4'"),
            {"run": second.id},
        ).scalar_one()
    assert worst < -10.0


def test_a_published_network_from_the_command_line(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.tntp").write_text(BRAESS)
    (tmp_path / "trips.tntp").write_text(BRAESS_TRIPS)
    monkeypatch.setenv("TWIN_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("TWIN_DATA_DIR", str(settings.data_dir))
    words = [f"network={tmp_path / 'net.tntp'}", f"trips={tmp_path / 'trips.tntp'}", "gap=1e-9"]
    done = CliRunner().invoke(
        app, ["run", "traffic-assignment", *(part for word in words for part in ("--input", word))]
    )
    assert done.exit_code == 0, done.output
    assert "mục tiêu / objective         386.0000" in done.output
    flows = next(line for line in done.output.splitlines() if line.startswith("dòng xe / flows")).split()[-1]
    assert Path(flows).read_text().startswith("link_id,from_node_id,to_node_id,flow,")
