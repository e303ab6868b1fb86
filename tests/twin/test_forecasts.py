"""Forecasts in the database: issued once, kept, verified; supplied rain; persistence where the record is short."""

import asyncio
import contextlib
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio.shutil
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.io import netcdf_file
from sqlalchemy import Engine, text

from hydrology.forecast import LEVELS
from layers.errors import InputError, NotFoundError
from layers.registry import read_vector_layer
from layers.store.features import upsert_features
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import correct_observation, insert_observations
from tests.commands import run_twin
from twin.forecasts.issuing import issue_all, round_down
from twin.forecasts.models import ModelShelf
from twin.forecasts.rain import find_rain
from twin.forecasts.schedule import forecast_forever
from twin.forecasts.supplied import keep_supplied
from twin.forecasts.verifying import verify_gauge
from twin.forecasts.writing import write_alarms, write_issue, write_skill, write_values
from twin.settings import Settings
from twin.store_forecast_loop import read_loop
from twin.store_forecasts import find_gauge, list_issues, list_newest, read_issue, read_values

END = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
NOW = END - timedelta(hours=30)
PLACE = (105.78, 10.03)


@pytest.fixture(scope="module", autouse=True)
def gauges(engine: Engine, tide_of: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> None:
    """A gauge of 40 days at S1, one of two days at S2, one long silent at S3; a rain gauge."""
    x, y = Transformer.from_crs("OGC:CRS84", "EPSG:5897", always_xy=True).transform(*PLACE)
    frame = gpd.GeoDataFrame(
        {
            "id": ["S1", "S2", "S3", "R1"],
            "name": ["Trạm dài", "Trạm ngắn", "Trạm câm", "Mưa"],
            "kind": ["stage", "stage", "stage", "rain"],
            "alarm_1": [1.9, np.nan, np.nan, np.nan],
        },
        geometry=[shapely.Point(x + 10.0 * k, y) for k in range(4)],
        crs="EPSG:5897",
    )
    seconds = np.arange(END.timestamp() - 40 * 86400.0, END.timestamp() + 1.0, 1800.0)
    surge = 0.05 * np.sin(seconds / 40_000.0) + 0.01 * np.random.default_rng(0).standard_normal(seconds.size)
    stages = tide_of(seconds) + surge
    times = pd.to_datetime(seconds, unit="s", utc=True)
    with engine.begin() as connection:
        upsert_features(connection, read_vector_layer("sensors"), frame, source_id="t")
        streams = [Datastream(f"S{k}.stage", f"S{k}", "stage", "m", "Mực nước", "Stage") for k in (1, 2, 3)]
        upsert_datastreams(connection, [*streams, Datastream("R1.rain", "R1", "rainfall", "mm", "Mưa", "Rain")], "t")
        short, silent = times > END - timedelta(days=4), times < END - timedelta(days=20)
        for name, chosen in (("S1.stage", times == times), ("S2.stage", short), ("S3.stage", silent)):
            rows = pd.DataFrame({"datastream_id": name, "phenomenon_time": times[chosen], "result": stages[chosen]})
            insert_observations(connection, rows)


@pytest.fixture(scope="module")
def shelf() -> ModelShelf:
    """Models kept over the tests of this file."""
    return ModelShelf()


def count(engine: Engine) -> tuple[int, int]:
    with engine.connect() as connection:
        row = connection.execute(
            text("select (select count(*) from forecast.issue), (select count(*) from forecast.value)")
        ).one()
    return int(row[0]), int(row[1])


def test_every_gauge_is_issued_once_and_kept(engine: Engine, shelf: ModelShelf) -> None:
    made = issue_all(engine, shelf, NOW + timedelta(minutes=7))
    assert [(one.datastream_id, one.model, one.new) for one in made] == [
        ("S1.stage", "harmonic-residual", True),
        ("S2.stage", "persistence", True),
    ]
    assert {one.issue_time for one in made} == {NOW}
    before = count(engine)
    # 144 values of ten minutes, 48 of half an hour.
    assert before == (2, 2 * 192)
    again = issue_all(engine, shelf, NOW + timedelta(minutes=9))
    assert [(one.issue, one.new) for one in again] == [(one.issue, False) for one in made]
    assert count(engine) == before
    with engine.connect() as connection:
        issue = read_issue(connection, "S1.stage")
        values = read_values(connection, issue.id)
        short = read_issue(connection, "S2.stage")
        assert [one.datastream_id for one in list_newest(connection)] == ["S1.stage", "S2.stage"]
        newest = connection.execute(
            text("select count(*), max(q95), min(lead_s) from forecast.newest where datastream_id = 'S1.stage'")
        ).one()
    assert tuple(newest)[0::2] == (192, 600) and newest[1] == pytest.approx(values.quantiles[:, -1].max(), abs=1e-6)
    assert issue.origin == NOW and issue.issue_time == NOW
    assert issue.parameters["residual"]["method"] in ("direct", "iterated")
    assert 0.0 < issue.skill["1h"]["rmse"] < issue.skill["24h"]["rmse"] * 1.5
    assert "expected at least" in short.parameters["why"]
    assert (np.diff(values.quantiles, axis=1) >= 0.0).all()
    words = {**write_issue(issue), **write_values(values)}
    assert words["stage"][0] == pytest.approx(values.quantiles[0, 3], abs=1e-4)
    assert len(words["times"]) == len(words["quantiles"]) == 192 and words["times"][0] == "2026-11-19T00:10:00Z"


def test_what_is_not_there_is_named(engine: Engine, shelf: ModelShelf) -> None:
    with pytest.raises(NotFoundError, match=r"S9\.stage.*one of S1\.stage, S2\.stage"):
        issue_all(engine, shelf, NOW, series=["S9.stage"])
    with engine.connect() as connection, pytest.raises(NotFoundError, match="has no forecast"):
        read_issue(connection, "S3.stage")


def test_a_day_is_one_fit_and_a_correction_another(engine: Engine) -> None:
    own = ModelShelf()
    with engine.begin() as connection:
        gauge = find_gauge(connection, "S1.stage")
        at = NOW + timedelta(hours=1)
        first, _ = own.find(connection, gauge, at)
        again, _ = own.find(connection, gauge, at + timedelta(minutes=10))
        assert first is again
        correct_observation(
            connection, "S1.stage", NOW - timedelta(days=9), 1.0, author="t", reason="the float was stuck"
        )
        connection.execute(text("update sensing.correction set stored = :at"), {"at": at + timedelta(minutes=15)})
        assert own.find(connection, gauge, at + timedelta(minutes=20))[0] is not first
        connection.rollback()


def test_issues_are_held_to_what_came(engine: Engine, shelf: ModelShelf) -> None:
    for hours in range(1, 28, 2):
        issue_all(engine, shelf, NOW + timedelta(hours=hours), series=["S1.stage"])
    with engine.connect() as connection:
        gauge = find_gauge(connection, "S1.stage")
        skill = verify_gauge(connection, gauge, days=2.0)
        assert len(list_issues(connection, "S1.stage", limit=5)) == 5
        alarms = write_alarms(read_values(connection, read_issue(connection, "S1.stage").id), gauge)
    by_lead = {round(one.lead / 3600.0): one for one in skill.leads}
    assert {1, 3, 6, 12, 24} <= set(by_lead)
    assert by_lead[1].count == 15
    for hours in (1, 3, 6):
        one = by_lead[hours]
        assert one.rmse_persistence is not None and one.rmse < 0.5 * one.rmse_persistence
        assert one.crps <= one.rmse
        assert one.level == 1.9 and one.warned is not None
    assert skill.peaks and abs(skill.peaks[0].height_bias) < 0.15
    assert alarms[0]["level"] == 1 and 0.0 <= alarms[0]["probability"] <= 1.0
    words = write_skill(skill)
    assert words["leads"][0]["lead_hours"] == 1.0 and set(words["leads"][0]["warned"]) >= {"pod", "far", "csi"}


def test_ten_minutes_are_rounded_down() -> None:
    assert round_down(NOW + timedelta(minutes=19, seconds=59)) == NOW + timedelta(minutes=10)


def write_table(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(rows) + "\n")
    return path


def test_rain_as_a_table_with_members(engine: Engine, tmp_path: Path) -> None:
    rows = ["time,mm,member"]
    for member, factor in enumerate((0.5, 1.0, 3.0)):
        rows += [f"2026-11-19T{hour:02d}:00:00Z,{factor * hour:g},{member}" for hour in range(1, 7)]
    path = write_table(tmp_path / "rain.csv", rows)
    with engine.begin() as connection:
        kept = keep_supplied(connection, "R1.rain", path)
        assert kept.new and kept.issue_time == NOW
        assert not keep_supplied(connection, "R1.rain", path).new
        values = read_values(connection, kept.issue)
        np.testing.assert_allclose(values.quantiles[:, LEVELS.index(0.5)], np.arange(1.0, 7.0))
        issue = read_issue(connection, "R1.rain")
        assert issue.model == "supplied" and issue.parameters["members"] == 3
        rain = find_rain(connection, NOW, 24.0, 3)
        assert rain is not None and rain.depths == (1.0, 2.0, 3.0, 4.0, 5.0, 6.0) and rain.step_minutes == 60.0
        assert rain.factors == pytest.approx((0.5, 1.0, 3.0), abs=0.3)
        # Two and a half hours later what is left of it falls, in the same steps.
        later = find_rain(connection, NOW + timedelta(minutes=150), 24.0, 3)
        assert later is not None and later.depths == (3.5, 4.5, 5.5)
        assert find_rain(connection, NOW + timedelta(hours=7), 24.0, 3) is None


@pytest.mark.parametrize("kind", ["classic", "hdf5"])
def test_rain_as_a_field(engine: Engine, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "rain.nc"
    lons, lats = np.array([105.6, 105.7, 105.8, 105.9]), np.array([10.1, 10.0, 9.9])
    field = np.zeros((2, 4, 3, 4), dtype=np.float32)
    # The gauge at 105.78° E, 10.03° N lies in row 1, column 2.
    field[0, :, 1, 2], field[1, :, 1, 2] = [1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0]
    with netcdf_file(path, "w") as out:
        for name, values, unit in (
            ("time", np.arange(3.0, 13.0, 3.0), "hours since 2026-11-18 00:00:00"),
            ("lat", lats, "degrees_north"),
            ("lon", lons, "degrees_east"),
            ("member", np.arange(2), "1"),
        ):
            out.createDimension(name, len(values))
            variable = out.createVariable(name, "d", (name,))
            variable[:], variable.units = values, unit
            variable.standard_name = {"lat": "latitude", "lon": "longitude", "time": "time"}.get(name, "realization")
        rain = out.createVariable("tp", "f", ("member", "time", "lat", "lon"))
        rain[:], rain.units = field, "mm"
    if kind == "hdf5":
        with rasterio.open(f"netcdf:{path}:tp") as opened:
            rasterio.shutil.copy(opened, tmp_path / "four.nc", driver="netCDF", FORMAT="NC4")
        path = tmp_path / "four.nc"
    issued = datetime(2026, 11, 17 if kind == "classic" else 16, tzinfo=UTC)
    with engine.begin() as connection:
        kept = keep_supplied(connection, "R1.rain", path, issue_time=issued)
        values = read_values(connection, kept.issue)
        assert datetime.fromtimestamp(values.times[0], UTC) == datetime(2026, 11, 18, 3, tzinfo=UTC)
        np.testing.assert_allclose(values.quantiles[:, LEVELS.index(0.5)], [1.5, 3.0, 4.5, 6.0])
        np.testing.assert_allclose(values.quantiles[:, -1], [2.0, 4.0, 6.0, 8.0])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["time,depth", "2026-11-19T01:00:00Z,1"], "expected time and mm"),
        (["time,mm", "yesterday,1", "2026-11-19T01:00:00Z,1"], "row 2: time is 'yesterday'"),
        (["time,mm", "2026-11-19T01:00:00Z,1", "2026-11-19T02:00:00Z,-3"], "step 2: rain is -3 mm"),
        (["time,mm", "2026-11-19T01:00:00Z,1", "2026-11-19T01:00:00Z,3"], "comes twice"),
        (["time,mm", "2026-11-19T01:00Z,1", "2026-11-19T02:00Z,3", "2026-11-19T05:00Z,3"], "uneven steps"),
        (["time,mm,quantile", "2026-11-19T01:00:00Z,1,50"], "expected probabilities between 0 and 1"),
    ],
)
def test_rain_that_cannot_be_is_refused(engine: Engine, tmp_path: Path, rows: list[str], words: str) -> None:
    with engine.begin() as connection, pytest.raises(InputError, match=words):
        keep_supplied(connection, "R1.rain", write_table(tmp_path / "rain.csv", rows))


def test_a_field_without_the_gauge_is_refused(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        with pytest.raises(InputError, match="measures stage, expected rainfall"):
            keep_supplied(connection, "S1.stage", tmp_path / "rain.csv")
        with pytest.raises(InputError, match="does not exist"):
            keep_supplied(connection, "R1.rain", tmp_path / "rain.csv")


def test_the_commands_say_the_same(engine: Engine, tmp_path: Path) -> None:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        settings = {"TWIN_DATABASE_URL": url, "TWIN_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
        return run_twin("forecast", *words, settings=settings)

    made = json.loads(run("issue", "S2.stage", "--at", "2026-11-20T04:05:00Z", "--json").stdout)
    assert [(one["datastream_id"], one["issue_time"][:16], one["new"]) for one in made] == [
        ("S2.stage", "2026-11-20T04:00", True)
    ]
    listed = json.loads(run("list", "--json").stdout)
    assert {one["datastream_id"] for one in listed} == {"S1.stage", "S2.stage", "R1.rain"}
    wrong = run("issue", "--at", "2026-11-20T04:05:00")
    assert wrong.returncode != 0 and "names no time zone" in wrong.stderr


def test_the_schedule_issues_and_leaves_the_loop_alone_when_it_is_off(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        fresh = pd.DataFrame(
            {
                "datastream_id": "S2.stage",
                "phenomenon_time": [datetime.now(UTC) - timedelta(minutes=5)],
                "result": [1.0],
            }
        )
        insert_observations(connection, fresh)
    settings = Settings(data_dir=tmp_path, run_dir=tmp_path, loop_minutes=0)

    async def run_for_a_while() -> None:
        task = asyncio.create_task(forecast_forever(engine, settings))
        for _ in range(600):
            await asyncio.sleep(0.1)
            with engine.connect() as connection:
                if read_issue(connection, "S2.stage").issue_time > END + timedelta(days=1):
                    break
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(run_for_a_while())
    with engine.connect() as connection:
        assert read_issue(connection, "S2.stage").issue_time >= round_down(datetime.now(UTC)) - timedelta(minutes=10)
        assert read_loop(connection) is None
