"""Observations over SensorThings: created, sent again, corrected, withdrawn; data arrays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from tests.api.sta_documents import (
    AT,
    HAU,
    WHARF,
    count,
    make_datastream,
    make_location,
    make_series,
    make_thing,
    post,
)  # fmt: skip

KEY = "1793491200000000"


def read_raw(beside: Connection, stream: str) -> list[Any]:
    """Return raw result, what is read today, and revision, of all rows of a series in order."""
    beside.rollback()
    rows = beside.execute(
        text(
            "select o.result as raw, coalesce(to_jsonb(r.result), r.value) as read, o.revision "
            "from sensing.observation o join sensing.datastream d on d.fid = o.datastream "
            "left join sensing.reading r using (datastream, phenomenon_time) where d.id = :id "
            "order by o.phenomenon_time"
        ),
        {"id": stream},
    )
    return [tuple(row) for row in rows]


def test_an_observation_is_known_by_series_and_time(sta: TestClient, beside: Connection) -> None:
    """Sent again it has the same address and is stored once; with another value it is a correction by who sent it."""
    _, stream = make_series(sta)
    sent = {"phenomenonTime": AT, "result": 1.5, "Datastream": {"@iot.id": stream}}
    first = post(sta, "Observations", sent)
    again = post(
        sta, f"Datastreams('{stream}')/Observations", {"phenomenonTime": "2026-11-01T07:00+07:00", "result": 1.5}
    )
    assert first == again
    assert first.split("_")[1] == KEY
    assert read_raw(beside, stream) == [(1.5, 1.5, 0)]
    answer = sta.post(
        "Observations", json={**sent, "result": 1.7}, headers={"twin-author": "Lan", "twin-reason": "boat"}
    )
    assert answer.json()["@iot.id"] == first
    assert read_raw(beside, stream) == [(1.5, 1.7, 1)]
    assert count(beside, "correction", "author = 'Lan' and reason = 'boat' and result = 1.7") == 1


def test_numbers_other_values_and_missing_ones(sta: TestClient, beside: Connection) -> None:
    """Numbers are results, any other JSON a value, null a missing reading; without a time it is now."""
    _, stream = make_series(sta)
    path = f"Datastreams('{stream}')/Observations"
    for minute, result in enumerate((2, "on", True, {"a": [1]}, [1, 2], None)):
        post(sta, path, {"phenomenonTime": f"2026-11-01T00:0{minute}:00Z", "result": result})
    assert [row[1] for row in read_raw(beside, stream)] == [2, "on", True, {"a": [1]}, [1, 2], None]
    before = datetime.now(UTC)
    made = int(post(sta, path, {"result": 3}).split("_")[1]) / 1e6
    assert before <= datetime.fromtimestamp(made, UTC) + timedelta(microseconds=1) <= datetime.now(UTC)


def test_all_attributes_of_an_observation(sta: TestClient, beside: Connection) -> None:
    """Intervals, resultTime, validTime, quality and parameters are kept."""
    _, stream = make_series(sta)
    sent = {
        "phenomenonTime": "2026-11-01T00:00:00Z/2026-11-01T01:00:00Z", "result": 4,
        "resultTime": "2026-11-01T01:05:00Z",
        "validTime": "2026-11-01T00:00:00Z/2026-11-02T00:00:00Z", "resultQuality": 3, "parameters": {"depth": 1},
    }  # fmt: skip
    post(sta, f"Datastreams('{stream}')/Observations", sent)
    row = beside.execute(
        text(
            "select phenomenon_end, result_time, valid_start, valid_end, quality, parameters "
            "from sensing.observation o join sensing.datastream d on d.fid = o.datastream where d.id = :id"
        ),
        {"id": stream},
    ).one()
    start = datetime(2026, 11, 1, tzinfo=UTC)
    hour, day = start + timedelta(hours=1), start + timedelta(days=1)
    assert tuple(row) == (hour, hour + timedelta(minutes=5), start, day, 3, {"depth": 1})


def test_patching_a_result_is_a_correction(sta: TestClient, beside: Connection) -> None:
    """req/create-update-delete/update-entity on Observations: the raw value stays, and so does the address."""
    _, stream = make_series(sta)
    made = post(sta, f"Datastreams('{stream}')/Observations", {"phenomenonTime": AT, "result": 1})
    for method, body in (
        ("PATCH", {"result": 2}), ("PUT", {"result": 3, "phenomenonTime": AT}),
        ("PATCH", [{"op": "replace", "path": "/result", "value": 4}]),
    ):  # fmt: skip
        kind = "application/json-patch+json" if isinstance(body, list) else "application/json"
        answer = sta.request(method, f"Observations('{made}')", json=body, headers={"content-type": kind})
        assert (answer.status_code, answer.json()["@iot.id"]) == (200, made)
    assert read_raw(beside, stream) == [(1.0, 4.0, 3)]
    assert sta.patch(f"Observations('{made}')", json={"parameters": {"a": 1}, "resultQuality": 4}).status_code == 200
    assert read_raw(beside, stream) == [(1.0, 4.0, 3)]
    assert count(beside, "observation", "parameters = '{\"a\": 1}' and quality = 4") == 1
    _, other = make_series(sta)
    assert sta.patch(f"Observations('{made}')", json={"Datastream": {"@iot.id": other}}).status_code == 400


def test_an_observation_moved_in_time_leaves_its_place(sta: TestClient, beside: Connection) -> None:
    """Its id holds its time: with another phenomenonTime it is withdrawn here and stored there."""
    _, stream = make_series(sta)
    made = post(sta, f"Datastreams('{stream}')/Observations", {"phenomenonTime": AT, "result": 1})
    answer = sta.patch(f"Observations('{made}')", json={"phenomenonTime": "2026-11-01T00:01:00Z"})
    assert answer.status_code == 200
    assert answer.json()["@iot.id"] != made
    assert answer.headers["location"].endswith(f"('{answer.json()['@iot.id']}')")
    assert read_raw(beside, stream) == [(1.0, None, 1), (1.0, 1.0, 0)]


def test_deleting_withdraws(sta: TestClient, beside: Connection) -> None:
    """req/create-update-delete/delete-entity on Observations: not read any more, the raw row stays."""
    _, stream = make_series(sta)
    path = f"Datastreams('{stream}')/Observations"
    old = post(sta, path, {"phenomenonTime": "2026-10-31T23:00:00Z", "result": 0.5})
    made = post(sta, path, {"phenomenonTime": AT, "result": 1})
    assert sta.delete(f"Observations('{made}')").status_code == 200
    assert sta.delete(f"Observations('{made}')").status_code == 404
    assert read_raw(beside, stream) == [(0.5, 0.5, 0), (1.0, None, 1)]
    newest = "select l.result from sensing.latest l join sensing.datastream d on d.fid = l.datastream where d.id = :id"
    assert beside.execute(text(newest), {"id": stream}).scalar_one() == 0.5
    assert count(beside, "correction", "reason = 'withdrawn' and author = 'local'") >= 1
    post(sta, path, {"phenomenonTime": AT, "result": 1})
    assert read_raw(beside, stream) == [(0.5, 0.5, 0), (1.0, 1.0, 2)]
    assert sta.delete(f"Observations('{old}')").status_code == 200


def test_a_feature_of_interest_is_made_of_the_place(sta: TestClient, beside: Connection) -> None:
    """10.2.1.2: one a place, reused; readings stay of the place they were taken at when the thing moves."""
    location = post(sta, "Locations", make_location())
    thing = post(sta, "Things", make_thing(Locations=[{"@iot.id": location}]))
    streams = [post(sta, f"Things('{thing}')/Datastreams", make_datastream()) for _ in range(2)]
    for stream in streams:
        post(sta, f"Datastreams('{stream}')/Observations", {"phenomenonTime": AT, "result": 1})
    made = f"at-{location}-%"
    assert count(beside, "feature_of_interest", "id like :id", id=made) == 1
    assert sta.patch(f"Locations('{location}')", json={"location": WHARF}).status_code == 200
    post(sta, f"Datastreams('{streams[0]}')/Observations", {"phenomenonTime": "2026-11-01T00:10:00Z", "result": 2})
    post(sta, f"Things('{thing}')/Locations", make_location(location=HAU))
    post(sta, f"Datastreams('{streams[0]}')/Observations", {"phenomenonTime": "2026-11-01T00:20:00Z", "result": 3})
    places = beside.execute(
        text(
            "select st_y(f.geom) as north, r.result from sensing.reading r "
            "join sensing.datastream d on d.fid = r.datastream "
            "join sensing.feature_of_interest f on f.id = coalesce(r.feature_of_interest_id, d.feature_of_interest_id) "
            "where d.id = :id order by r.phenomenon_time"
        ),
        {"id": streams[0]},
    ).all()
    assert [tuple(place) for place in places] == [(10.03, 1.0), (10.05, 2.0), (10.03, 3.0)]
    nowhere = post(sta, "Datastreams", make_datastream(Thing=make_thing()))
    post(sta, f"Datastreams('{nowhere}')/Observations", {"phenomenonTime": AT, "result": 1})


def test_wrong_observations_are_named(sta: TestClient) -> None:
    """400 for what cannot be read, 404 for what is not there."""
    _, stream = make_series(sta)
    link = {"@iot.id": stream}
    for sent, status, said in (
        ({"result": 1, "Datastream": {"@iot.id": "none"}}, 404, "Datastream 'none' does not exist"),
        ({"Datastream": link}, 400, "lacks result"),
        ({"result": 1, "phenomenonTime": "2026-11-01", "Datastream": link}, 400, "names no zone"),
        ({"result": 1, "phenomenonTime": "0001-01-01T00:00:00Z", "Datastream": link}, 400, "outside of 1900"),
        ({"result": 1, "phenomenonTime": f"{AT}/2020-01-01T00:00:00Z", "Datastream": link}, 400, "ends before"),
        ({"result": 1, "phenomenonTime": 5, "Datastream": link}, 400, "is no time"),
        ({"result": 1, "resultQuality": 7, "Datastream": link}, 400, "resultQuality"),
        ({"result": 1, "parameters": 1, "Datastream": link}, 400, "parameters"),
        ({"result": 1, "colour": 1, "Datastream": link}, 400, "has no 'colour'"),
        ({"result": 1, "Datastream": link, "FeatureOfInterest": {"@iot.id": "none"}}, 404, "FeatureOfInterest 'none'"),
        ([1], 400, "JSON object"),
    ):  # fmt: skip
        assert said in post(sta, "Observations", sent, status)
    for wrong in ("nonsense", "1_2_3", "99999_5", "1_99999999999999999", "x_1"):
        assert sta.delete(f"Observations('{wrong}')").status_code == 404


@pytest.mark.conformance("iot_sensing/1.1/req/data-array/data-array")
def test_data_array(sta: TestClient, beside: Connection) -> None:
    """req/data-array/data-array: rows of several Datastreams, an address a row, an error where one is wrong."""
    (_, first), (_, second) = make_series(sta), make_series(sta)
    times = [f"2026-11-01T00:0{k}:00Z" for k in range(4)]
    sent = [
        {"Datastream": {"@iot.id": first}, "components": ["phenomenonTime", "result", "resultQuality"],
         "dataArray@iot.count": 3, "dataArray": [[times[0], 1, 1], ["soon", 2, 1], [times[2], 3]]},
        {"Datastream": {"@iot.id": second}, "components": ["result", "phenomenonTime", "FeatureOfInterest/id"],
         "dataArray": [[5, times[0], None], [6, times[1], "none"]]},
        {"Datastream": {"@iot.id": "none"}, "components": ["result"], "dataArray": [[7]]},
    ]  # fmt: skip
    answer = sta.post("CreateObservations", json=sent)
    assert answer.status_code == 201
    told = answer.json()
    assert [line.startswith("error") for line in told] == [False, True, True, False, True, True]
    assert told[0].endswith(f"_{KEY}')")
    assert "soon" in told[1]
    assert "FeatureOfInterest 'none'" in told[4]
    assert "Datastream 'none'" in told[5]
    assert read_raw(beside, first) == [(1.0, 1.0, 0)]
    assert read_raw(beside, second) == [(5.0, 5.0, 0)]
    assert sta.post("CreateObservations", json=sent).json()[0] == told[0]
    assert read_raw(beside, first) == [(1.0, 1.0, 0)]


@pytest.mark.parametrize(
    "entry",
    [
        {"components": ["result"], "dataArray": []},
        {"Datastream": {"@iot.id": 1}, "dataArray": []},
        {"Datastream": {"@iot.id": 1}, "components": ["phenomenonTime"], "dataArray": []},
        {"Datastream": {"@iot.id": 1}, "components": ["result", "colour"], "dataArray": []},
        {"Datastream": {"@iot.id": 1}, "components": ["result"]},
        {"MultiDatastream": {"@iot.id": 1}, "components": ["result"], "dataArray": []},
        5,
    ],
)
def test_data_arrays_that_cannot_be_read(sta: TestClient, entry: Any) -> None:
    """An entry without Datastream, components or rows is refused as a whole."""
    assert sta.post("CreateObservations", json=[entry]).status_code == 400
    assert sta.patch("CreateObservations", json=[entry]).status_code == 405
