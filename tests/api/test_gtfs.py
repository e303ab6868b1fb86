"""Public transport over HTTP: feeds out, departures, vehicles, alerts, and what is asked wrongly."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from google.transit import gtfs_realtime_pb2 as rt
from sqlalchemy import Engine, text

from layers.store.engine import open_engine
from tests.twin.transit_feeds import make_feed
from twin.settings import Settings
from twin.transit.importing import FeedOrigin, import_feed, remove_feed
from twin.transit.polling import take_message
from twin.transit.reading import read_feed
from twin.transit.validating import validate_feed

TODAY = date(2026, 6, 1)
# Monday morning in Can Tho, 06:55.
MORNING = "2026-05-31T23:55:00Z"


@pytest.fixture(scope="module")
def transit(client: TestClient, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The API's city with the small feed, and a message about it: T1 five minutes late, T2 cancelled, one bus."""
    assert settings.database_url is not None
    engine = open_engine(settings.database_url)
    feed = make_feed()
    origin = FeedOrigin("line", "Xe buýt", "line.zip", licence="CC0-1.0", attribution="Sở")
    import_feed(engine, feed, validate_feed(feed, TODAY), origin, author="test", today=TODAY)
    path = tmp_path_factory.mktemp("live") / "live.pb"
    path.write_bytes(make_message())
    take_message(engine, settings, "line", str(path))
    yield client
    remove_feed(engine, "line", author="test")
    engine.dispose()


def make_message() -> bytes:
    message = rt.FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    message.header.timestamp = int(datetime(2026, 5, 31, 23, 50, tzinfo=UTC).timestamp())
    late = message.entity.add(id="u1").trip_update
    late.trip.trip_id = "T1"
    late.stop_time_update.add(stop_sequence=2).departure.delay = 300
    gone = message.entity.add(id="u2").trip_update
    gone.trip.trip_id = "T2"
    gone.trip.schedule_relationship = rt.TripDescriptor.CANCELED
    bus = message.entity.add(id="v1").vehicle
    bus.trip.trip_id, bus.vehicle.label = "T1", "65B-001"
    bus.position.latitude, bus.position.longitude = 10.03, 105.785
    lost = message.entity.add(id="v2").vehicle
    lost.trip.trip_id = "X9"
    lost.position.latitude, lost.position.longitude = 10.0, 105.7
    content: bytes = message.SerializeToString()
    return content


def test_feeds_are_listed_with_their_report_and_messages(transit: TestClient) -> None:
    (listed,) = transit.get("/gtfs").json()["feeds"]
    assert (listed["id"], listed["version"], listed["errors"]) == ("line", 1, 0)
    one = transit.get("/gtfs/line").json()
    assert one["counts"]["stop_times"] == 10
    assert one["messages"][0]["unmatched"] == {"trips": {"count": 1, "of": 3, "ids": ["X9"]}}
    assert transit.get("/gtfs/line/report").json()["notices"] == []


def test_a_feed_goes_out_as_it_came(transit: TestClient, tmp_path: Path) -> None:
    answer = transit.get("/gtfs/line.zip")
    assert answer.headers["content-type"] == "application/zip"
    assert "stop_times.txt" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    (tmp_path / "line.zip").write_bytes(answer.content)
    again = read_feed(tmp_path / "line.zip")
    assert all(again.tables[name].data.equals(table.data) for name, table in make_feed().tables.items())
    same = transit.get("/gtfs/line.zip", headers={"if-none-match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


def test_a_stop_moved_in_the_city_goes_out_moved(transit: TestClient, writer: Engine) -> None:
    before = transit.get("/gtfs/line.zip").headers["etag"]
    with writer.begin() as connection:
        connection.execute(text("update city.stops set name = 'Chợ' where id = 'line.S1'"))
    answer = transit.get("/gtfs/line.zip")
    assert answer.headers["etag"] != before
    assert "S1,Chợ," in zipfile.ZipFile(io.BytesIO(answer.content)).read("stops.txt").decode()


def test_departures_know_of_delays_and_cancellations(transit: TestClient) -> None:
    found = transit.get("/gtfs/line/stops/S1/departures", params={"at": MORNING}).json()["departures"]
    assert [(one["trip_id"], one["state"], one["delay"]) for one in found] == [
        ("T1", "live", 300),
        ("T2", "canceled", None),
    ]
    # Between S0 at 07:00 and S2 at 07:06 the stop lies half way: 07:03, and five minutes late.
    assert (found[0]["scheduled"], found[0]["expected"]) == ("2026-06-01T00:03:00Z", "2026-06-01T00:08:00Z")
    assert (found[0]["route"], found[0]["headsign"]) == ("01", "Trạm 4")
    # The delay is told from the second stop on, and nobody leaves from a last stop.
    first = transit.get("/gtfs/line/stops/S0/departures", params={"at": MORNING, "limit": 1}).json()["departures"]
    assert first[0]["state"] == "scheduled"
    assert (
        transit.get("/gtfs/line/stops/S4/departures", params={"at": MORNING, "minutes": 30}).json()["departures"] == []
    )


def test_vehicles_are_on_the_map(transit: TestClient) -> None:
    answer = transit.get("/gtfs/line/vehicles", params={"at": MORNING})
    assert answer.headers["content-type"].startswith("application/geo+json")
    known, unknown = answer.json()["features"]
    assert known["geometry"]["coordinates"] == [105.785, 10.03]
    assert (known["properties"]["route"], known["properties"]["matched"]) == ("01", True)
    assert (unknown["properties"]["trip_id"], unknown["properties"]["matched"]) == ("X9", False)
    # Ten minutes later nobody knows where they are.
    assert transit.get("/gtfs/line/vehicles", params={"at": "2026-06-01T00:05:00Z"}).json()["features"] == []


def test_without_a_flood_there_are_no_alerts(transit: TestClient) -> None:
    answer = transit.get("/gtfs/line/alerts.pb", params={"at": MORNING})
    assert answer.headers["content-type"] == "application/x-protobuf"
    message = rt.FeedMessage.FromString(answer.content)
    assert message.header.gtfs_realtime_version == "2.0"
    told = transit.get("/gtfs/line/alerts", params={"at": MORNING}).json()
    assert told["header"]["incrementality"] == "FULL_DATASET"
    assert len(message.entity) == len(told.get("entity", []))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/gtfs/none", 404),
        ("/gtfs/none.zip", 404),
        ("/gtfs/line/stops/none/departures", 404),
        ("/gtfs/line/stops/S1/departures?at=soon", 400),
        ("/gtfs/line/stops/S1/departures?limit=0", 400),
        ("/gtfs/line/vehicles?when=now", 400),
        ("/gtfs/line/messages?kind=gossip", 400),
        ("/gtfs/line/alerts.pb?run=none", 404),
    ],
)
def test_what_is_asked_wrongly_is_told(transit: TestClient, path: str, status: int) -> None:
    answer = transit.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
