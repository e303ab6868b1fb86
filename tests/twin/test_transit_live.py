"""GTFS Realtime: what messages say, what the feed does not know, delays along a trip, addresses that are asked."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from google.transit import gtfs_realtime_pb2 as rt
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import NotFoundError, SourceError, TooLargeError
from tests.twin.transit_feeds import make_feed
from twin.settings import Settings
from twin.store_transit_realtime import EntityRow
from twin.transit import polling, realtime
from twin.transit.departures import find_midnight, list_departures, predict, read_day
from twin.transit.feed import CityFeed
from twin.transit.realtime import find_unknown, read_message

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MIDNIGHT = datetime(2026, 5, 31, 17, tzinfo=UTC)
STOPS = ["S0", "S1", "S2", "S3"]
SEQUENCES = np.array([1, 2, 3, 4])
TIMES = np.array([100, 200, 300, 400])


def make_message() -> rt.FeedMessage:
    message = rt.FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    return message


def test_a_message_is_read_entity_by_entity() -> None:
    message = make_message()
    message.header.timestamp = int(NOW.timestamp()) - 60
    update = message.entity.add(id="u").trip_update
    update.trip.trip_id, update.trip.start_date = "T1", "20260601"
    message.entity.add(id="v").vehicle.position.latitude = 10.0
    message.entity[1].vehicle.position.longitude = float("nan")
    message.entity.add(id="gone", is_deleted=True).alert.cause = rt.Alert.WEATHER
    both = message.entity.add(id="both")
    both.alert.cause = rt.Alert.WEATHER
    both.stop.stop_id = "N1"
    read = read_message(message.SerializeToString(), "x.pb", NOW)
    assert read.at == NOW - timedelta(seconds=60)
    assert read.counts == {"alert": 1, "stop": 1, "trip_update": 1, "vehicle": 1}
    assert [(one.trip, one.start_date) for one in read.entities if one.kind == "trip_update"] == [("T1", "20260601")]
    undated = make_message()
    assert read_message(undated.SerializeToString(), "x.pb", NOW).at == NOW


def test_what_the_feed_does_not_know_is_told() -> None:
    message = make_message()
    for number, trip in enumerate(("T1", "X1", "X2")):
        message.entity.add(id=f"u{number}").trip_update.trip.trip_id = trip
    added = message.entity.add(id="a").trip_update
    added.trip.trip_id, added.trip.schedule_relationship = "new", rt.TripDescriptor.ADDED
    alert = message.entity.add(id="al").alert
    alert.informed_entity.add().route_id = "R9"
    alert.informed_entity.add().stop_id = "S1"
    changed = message.entity.add(id="m").trip_modifications
    changed.selected_trips.add().trip_ids.append("X3")
    change = changed.modifications.add()
    change.start_stop_selector.stop_id = "S2"
    change.replacement_stops.add().stop_id = "N1"
    change.replacement_stops.add().stop_id = "N2"
    message.entity.add(id="n").stop.stop_id = "N1"
    told = find_unknown(read_message(message.SerializeToString(), "x.pb", NOW), make_feed())
    assert told == {
        "trips": {"count": 3, "of": 4, "ids": ["X1", "X2", "X3"]},
        "routes": {"count": 1, "of": 1, "ids": ["R9"]},
        "stops": {"count": 1, "of": 4, "ids": ["N2"]},
    }


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00\x01", b"<html></html>"])
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(SourceError, match=r"x\.pb"):
        read_message(content, "x.pb", NOW)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(SourceError):
        read_message(content, "x.pb", NOW)


def test_messages_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    message = make_message()
    for number in range(3):
        message.entity.add(id=str(number)).alert.cause = rt.Alert.WEATHER
    content = message.SerializeToString()
    monkeypatch.setattr(realtime, "MOST_ENTITIES", 2)
    with pytest.raises(TooLargeError, match="3 entities"):
        read_message(content, "x.pb", NOW)
    monkeypatch.setattr(realtime, "MOST_BYTES", 5)
    with pytest.raises(TooLargeError):
        read_message(content, "x.pb", NOW)


def test_a_delay_holds_until_another_is_told() -> None:
    update = {
        "stop_time_update": [
            {"stop_sequence": 2, "departure": {"delay": 60}},
            {"stop_id": "S3", "schedule_relationship": "NO_DATA"},
        ]
    }
    delays, skipped = predict(update, SEQUENCES, STOPS, TIMES, MIDNIGHT)
    np.testing.assert_array_equal(delays, [np.nan, 60.0, 60.0, np.nan])
    assert not skipped.any()


def test_times_told_as_such_and_stops_skipped() -> None:
    moment = int(MIDNIGHT.timestamp()) + 330
    update = {
        "delay": 10,
        "stop_time_update": [
            {"stop_id": "S1", "schedule_relationship": "SKIPPED"},
            {"stop_id": "S2", "arrival": {"time": str(moment)}},
            {"stop_id": "unknown", "arrival": {"delay": 999}},
        ],
    }
    delays, skipped = predict(update, SEQUENCES, STOPS, TIMES, MIDNIGHT)
    assert delays.tolist() == [10.0, 10.0, 30.0, 30.0]
    assert skipped.tolist() == [False, True, False, False]


def test_of_trips_that_run_often_the_one_named_is_late() -> None:
    frequencies = "trip_id,start_time,end_time,headway_secs,exact_times\nT1,07:00:00,08:00:00,1200,0\n"
    one = CityFeed("line", "often@1", "Xe buýt", make_feed({"frequencies.txt": frequencies}))
    document = {"trip": {"trip_id": "T1", "start_time": "07:20:00"}, "delay": 90}
    update = EntityRow("u", "T1", None, NOW, document)
    found = list_departures(one, "S0", NOW - timedelta(minutes=5), [update], within=timedelta(hours=1), limit=9)
    own = [each for each in found if each.trip_id == "T1"]
    # 07:00, 07:20 and 07:40 in Can Tho.
    assert [(each.scheduled - NOW).total_seconds() / 60.0 for each in own] == [0.0, 20.0, 40.0]
    assert [each.delay for each in own] == [None, 90, None]
    assert not any(each.exact for each in own)
    with pytest.raises(NotFoundError, match="no stop 'S9'"):
        list_departures(one, "S9", NOW, [], within=timedelta(hours=1), limit=9)


def test_modified_trips_pass_stops_by_and_halt_elsewhere() -> None:
    message = make_message()
    changes = message.entity.add(id="m").trip_modifications
    changes.selected_trips.add().trip_ids.append("T1")
    changes.service_dates.append("20260601")
    change = changes.modifications.add()
    change.start_stop_selector.stop_sequence = change.end_stop_selector.stop_sequence = 3
    change.propagated_modification_delay = 120
    for stop, seconds in (("B", 240), ("S0", 300)):
        change.replacement_stops.add(stop_id=stop, travel_time_to_stop=seconds)
    (entity,) = read_message(message.SerializeToString(), "x.pb", NOW).entities
    told = [EntityRow("m", None, None, NOW, entity.document)]
    one = CityFeed("line", "modified@1", "Xe buýt", make_feed())

    def ask(stop: str, hour: int = 0) -> list[tuple[str, str, float]]:
        at = NOW + timedelta(hours=hour)
        found = list_departures(one, stop, at, [], told, within=timedelta(minutes=59), limit=9)
        return [(each.trip_id, each.state, (each.expected - NOW).total_seconds()) for each in found]

    # 07:03 before the detour; S2 is passed by; 07:10 and two minutes behind it.
    assert ask("S1") == [("T1", "scheduled", 180.0), ("T2", "scheduled", 1_980.0)]
    assert ask("S2")[0] == ("T1", "skipped", 420.0)
    assert ask("S3") == [("T1", "live", 720.0)]
    # A stop the feed does not have, four minutes from S1, and one that it has.
    assert ask("B") == [("T1", "replacement", 420.0)]
    assert ask("S0") == [("T1", "scheduled", 0.0), ("T1", "replacement", 480.0), ("T2", "scheduled", 1_800.0)]
    assert ask("S3", hour=24) == [("T1", "scheduled", 86_400.0 + 600.0)]


def test_a_trip_past_midnight_leaves_on_the_next_day() -> None:
    times = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    night = times + "T1,23:50:00,23:50:00,S0,1\nT1,24:10:00,24:10:00,S1,2\nT1,24:20:00,24:20:00,S2,3\n"
    one = CityFeed("line", "night@1", "Xe buýt", make_feed({"stop_times.txt": night}))
    # Saturday 00:05 in Can Tho: the trip is of Friday.
    at = datetime(2026, 6, 5, 17, 5, tzinfo=UTC)
    (found,) = list_departures(one, "S1", at, [], within=timedelta(hours=1), limit=9)
    assert found.scheduled == datetime(2026, 6, 5, 17, 10, tzinfo=UTC)
    assert read_day(one, date(2026, 6, 6)).feeds.size == 0


def test_service_days_count_from_noon() -> None:
    zone = CityFeed("x", "x", "x", make_feed()).feed.timezone
    assert find_midnight(date(2026, 6, 1), ZoneInfo(zone)) == MIDNIGHT


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers /live.pb with a message, /moved with a redirect, all else with 404."""

    def do_GET(self) -> None:
        if self.path == "/live.pb":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(make_message().SerializeToString())
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("location", "/live.pb")
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_addresses_are_public_or_named(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="leads to a private address"):
        polling._get(f"{address}/live.pb", Settings(data_dir=tmp_path))
    named = Settings(data_dir=tmp_path, callback_hosts="127.0.0.1")
    assert read_message(polling._get(f"{address}/live.pb", named), "x", NOW).counts == {}
    for path in ("/moved", "/gone"):
        with pytest.raises(SourceError, match="answers"):
            polling._get(f"{address}{path}", named)
    monkeypatch.setattr(polling, "MOST_BYTES", 2)
    with pytest.raises(TooLargeError):
        polling._get(f"{address}/live.pb", named)
    with pytest.raises(SourceError, match="cannot be asked"):
        polling._get("http://127.0.0.1:1/live.pb", named)
