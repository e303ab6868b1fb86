"""Sensors over HTTP: latest readings, series, forecasts."""

from datetime import timedelta

from starlette.testclient import TestClient

from tests.api.conftest import START


def test_latest_of_everything(client: TestClient) -> None:
    answer = client.get("/sensors/latest")
    assert answer.headers["content-type"] == "application/geo+json"
    gauge, rain = answer.json()["features"]
    assert (gauge["id"], rain["id"]) == ("S-1", "S-2")
    assert gauge["properties"]["alarm_1"] == 1.9
    reading = gauge["properties"]["datastreams"][0]
    assert reading["title"] == {"vi": "Mực nước", "en": "Stage"}
    last = START + timedelta(minutes=10 * 999)
    assert reading["phenomenon_time"] == last.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert set(reading) == {"id", "observed_property", "unit", "title", "result", "phenomenon_time", "quality"}
    assert rain["properties"]["datastreams"] == []


def test_sensors_are_chosen_by_place_kind_and_time(client: TestClient) -> None:
    def ask(query: str) -> list[str]:
        return [feature["id"] for feature in client.get(f"/sensors/latest?{query}").json()["features"]]

    assert ask("kind=rain") == ["S-2"]
    assert ask("bbox=-180,-90,180,90") == ["S-1", "S-2"]
    assert ask("bbox=0,0,1,1") == []
    assert ask("since=2026-11-02T00:00:00Z") == ["S-1"]
    assert ask("since=2030-01-01T00:00:00Z") == []


def test_a_series_and_its_gap(client: TestClient) -> None:
    path = "/sensors/datastreams/S-1.stage/observations"
    said = client.get(f"{path}?start=2026-11-01T00:00:00Z&end=2026-11-01T02:00:00Z").json()
    assert said["datastream"]["unit"] == "m"
    assert len(said["times"]) == len(said["results"]) == len(said["qualities"]) == 13
    assert said["times"][1] == "2026-11-01T00:10:00Z"
    assert said["results"][7] is None
    assert said["qualities"][7] == 9


def test_without_a_range_the_last_days_come_and_peaks_stay(client: TestClient) -> None:
    path = "/sensors/datastreams/S-1.stage/observations"
    whole = client.get(path).json()
    assert whole["times"][-1] == (START + timedelta(minutes=10 * 999)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len(whole["times"]) == 3 * 144 + 1
    thin = client.get(f"{path}?max_points=10").json()
    assert len(thin["times"]) <= 12
    assert max(thin["results"]) == max(whole["results"])


def test_the_newest_forecast_of_a_gauge(client: TestClient) -> None:
    forecast = client.get("/sensors/datastreams/S-1.stage/forecast").json()
    assert forecast["datastream_id"] == "S-1.stage"
    assert "flood-forecast" in forecast["run_id"]
