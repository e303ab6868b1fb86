"""Creating, changing and deleting over SensorThings: a test a requirement of OGC 18-088, 10."""

from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.conftest import ADDRESS
from tests.api.sta_documents import (
    AT,
    HAU,
    WHARF,
    count,
    make_datastream,
    make_location,
    make_property,
    make_sensor,
    make_series,
    make_thing,
    post,
)  # fmt: skip
from twin.settings import Settings


@pytest.mark.conformance("iot_sensing/1.1/req/create-update-delete/create-entity")
def test_create_entity_answers_201_and_the_address(sta: TestClient, beside: Connection) -> None:
    """req/create-update-delete/create-entity: every type of entity."""
    thing, stream = make_series(sta)
    location = post(sta, "Locations", make_location())
    sensor, prop = post(sta, "Sensors", make_sensor()), post(sta, "ObservedProperties", make_property())
    feature = {key: value for key, value in make_location().items() if key != "location"} | {"feature": HAU}
    place = post(sta, "FeaturesOfInterest", feature)
    past = post(sta, "HistoricalLocations", {"time": AT, "Thing": {"@iot.id": thing}, "Locations": [make_location()]})
    reading = post(sta, "Observations", {"phenomenonTime": AT, "result": 1.5, "Datastream": {"@iot.id": stream}})
    found = {"thing": thing, "location": location, "sensor": sensor, "observed_property": prop, "datastream": stream,
             "feature_of_interest": place, "historical_location": past}  # fmt: skip
    for table, key in found.items():
        assert count(beside, table, "id = :key", key=key) == 1, table
    assert count(beside, "observation o join sensing.datastream d on d.fid = o.datastream", "d.id = :key", key=stream)
    assert reading.endswith("_1793491200000000")


def test_mandatory_attributes_and_links_are_named(sta: TestClient) -> None:
    """req/create-update-delete/create-entity: what is mandatory must be there."""
    assert "lacks description" in post(sta, "Things", {"name": "x"}, 400)
    assert "lacks Thing, Sensor, ObservedProperty" in post(
        sta, "Datastreams", {**make_datastream(Sensor=None), "ObservedProperty": None}, 400
    )
    assert "lacks result, Datastream" in post(sta, "Observations", {"phenomenonTime": AT}, 400)
    assert "lacks Thing" in post(sta, "HistoricalLocations", {"time": AT}, 400)


@pytest.mark.conformance("iot_sensing/1.1/req/create-update-delete/link-to-existing-entities")
def test_link_to_existing_entities(sta: TestClient, beside: Connection) -> None:
    """req/create-update-delete/link-to-existing-entities: by {"@iot.id": …}, and by the address posted to."""
    location, sensor, prop = (
        post(sta, "Locations", make_location()), post(sta, "Sensors", make_sensor()),
        post(sta, "ObservedProperties", make_property()),
    )  # fmt: skip
    thing = post(sta, "Things", make_thing(Locations=[{"@iot.id": location}]))
    links = {"Sensor": {"@iot.id": sensor}, "ObservedProperty": {"@iot.id": prop}}
    stream = post(sta, "Datastreams", make_datastream(Thing={"@iot.id": thing}, **links))
    other = post(
        sta, f"Sensors('{sensor}')/Datastreams", {**make_datastream(Thing={"@iot.id": thing}, **links), "Sensor": None}
    )
    for made in (stream, other):
        key = {"id": made, "thing": thing, "sensor": sensor, "prop": prop}
        where = "id = :id and thing_id = :thing and sensor_id = :sensor and observed_property = :prop"
        assert count(beside, "datastream", where, **key) == 1
    assert count(beside, "thing_location", "thing_id = :t and location_id = :l", t=thing, l=location) == 1
    assert "Sensor 'none' does not exist" in post(
        sta, "Datastreams", make_datastream(Thing={"@iot.id": thing}, Sensor={"@iot.id": "none"}), 404
    )


@pytest.mark.conformance("iot_sensing/1.1/req/create-update-delete/deep-insert")
def test_deep_insert(sta: TestClient, beside: Connection) -> None:
    """req/create-update-delete/deep-insert: a thing with all that hangs on it, in one request."""
    observation = {"phenomenonTime": AT, "result": 1.25, "FeatureOfInterest": {
        "name": "Sông Hậu", "description": "River", "encodingType": "application/geo+json",
        "feature": WHARF}}  # fmt: skip
    later = {"phenomenonTime": "2026-11-01T00:10:00Z", "result": 1}
    thing = post(sta, "Things", make_thing(
        properties={"owner": "city"}, Locations=[make_location()],
        Datastreams=[make_datastream(Observations=[observation, later])],
    ))  # fmt: skip
    rows = beside.execute(
        text(
            "select r.result, coalesce(r.feature_of_interest_id, d.feature_of_interest_id) as feature "
            "from sensing.reading r join sensing.datastream d on d.fid = r.datastream "
            "where d.thing_id = :id order by r.phenomenon_time"
        ),
        {"id": thing},
    ).all()
    assert [row.result for row in rows] == [1.25, 1.0]
    assert rows[0].feature != rows[1].feature
    assert rows[1].feature.startswith("at-")
    tree = {"name": "x", "description": "x", "encodingType": "application/geo+json", "feature": HAU}
    feature = post(sta, "FeaturesOfInterest", {**tree, "Observations": [
        {"result": 2, "phenomenonTime": AT, "Datastream": make_datastream(Thing=make_thing())}]})  # fmt: skip
    assert count(beside, "reading", "feature_of_interest_id = :id", id=feature) == 1
    location = post(sta, "Locations", make_location(Things=[make_thing(), make_thing()]))
    assert count(beside, "thing_location", "location_id = :id", id=location) == 2
    sensor = post(sta, "Sensors", make_sensor(Datastreams=[make_datastream(Thing=make_thing(), Sensor=None)]))
    assert count(beside, "datastream", "sensor_id = :id", id=sensor) == 1


@pytest.mark.conformance("iot_sensing/1.1/req/create-update-delete/deep-insert-status-code")
def test_deep_insert_status_code_and_nothing_of_half_a_tree(sta: TestClient, beside: Connection) -> None:
    """req/create-update-delete/deep-insert-status-code: an error anywhere leaves nothing at all."""
    tables = ("thing", "location", "sensor", "observed_property", "datastream", "historical_location")
    before = [count(beside, table) for table in tables]
    broken = make_datastream(Observations=[{"phenomenonTime": "yesterday", "result": 1}])
    wrong = post(sta, "Things", make_thing(Locations=[make_location()], Datastreams=[make_datastream(), broken]), 400)
    assert "phenomenonTime" in wrong
    assert [count(beside, table) for table in tables] == before
    deep: Any = make_thing()
    for _ in range(20):
        deep = make_location(Things=[make_thing(Locations=[deep if "location" in deep else make_location()])])
    assert "deep" in post(sta, "Locations", deep, 400)
    assert [count(beside, table) for table in tables] == before


def test_a_client_may_choose_ids(sta: TestClient) -> None:
    """18-088, 7.3.1: ids of clients, texts and numbers, and no id twice."""
    assert post(sta, "Things", make_thing(**{"@iot.id": "S-O'Môn/1"})) == "S-O'Môn/1"
    assert post(sta, "Things", make_thing(**{"@iot.id": 4711})) == "4711"
    assert "exists already" in post(sta, "Things", make_thing(**{"@iot.id": 4711}), 409)
    assert sta.patch("Things('S-O''M%C3%B4n%2F1')", json={"name": "Ô Môn"}).status_code == 200
    assert sta.delete("Things(4711)").status_code == 200


@pytest.mark.conformance("iot_sensing/1.1/req/create-update-delete/update-entity")
def test_update_entity_merges(sta: TestClient, beside: Connection) -> None:
    """req/create-update-delete/update-entity: PATCH changes what it names and nothing else."""
    thing, stream = make_series(sta)
    assert sta.patch(f"Things('{thing}')", json={"properties": {"a": 1}}).status_code == 200
    assert sta.patch(f"Things('{thing}')", json={"name": "Mới"}).status_code == 200
    row = beside.execute(text("select name, description, properties from sensing.thing where id = :id"), {"id": thing})
    assert tuple(row.one()) == ("Mới", "Station", {"a": 1})
    other = post(sta, "Sensors", make_sensor())
    assert sta.patch(f"Datastreams('{stream}')", json={"Sensor": {"@iot.id": other}}).status_code == 200
    assert count(beside, "datastream", "id = :id and sensor_id = :s", id=stream, s=other) == 1
    assert sta.patch("Things('none')", json={"name": "x"}).status_code == 404
    assert sta.patch(f"Things('{thing}')", json={"name": None}).status_code == 400
    assert sta.patch(f"Things('{thing}')", json={"@iot.id": "another"}).status_code == 400
    assert sta.patch("Things", json={"name": "x"}).status_code == 405


@pytest.mark.conformance("iot_sensing/1.1/req/create-update-delete/update-entity-put")
def test_update_entity_put_replaces(sta: TestClient, beside: Connection) -> None:
    """req/create-update-delete/update-entity-put: what is not named is emptied, what is mandatory must be named."""
    thing = post(sta, "Things", make_thing(properties={"a": 1}))
    assert sta.put(f"Things('{thing}')", json={"name": "x"}).status_code == 400
    assert sta.put(f"Things('{thing}')", json={"name": "x", "description": "y"}).status_code == 200
    row = beside.execute(text("select name, description, properties from sensing.thing where id = :id"), {"id": thing})
    assert tuple(row.one()) == ("x", "y", None)


@pytest.mark.conformance("iot_sensing/1.1/req/create-update-delete/update-entity-jsonpatch")
def test_update_entity_jsonpatch(sta: TestClient, beside: Connection) -> None:
    """req/create-update-delete/update-entity-jsonpatch."""
    thing = post(sta, "Things", make_thing(properties={"a": 1, "list": [1, 2]}))
    kind = {"content-type": "application/json-patch+json"}
    operations = [
        {"op": "test", "path": "/name", "value": "Trạm"}, {"op": "replace", "path": "/name", "value": "Mới"},
        {"op": "add", "path": "/properties/list/1", "value": 9}, {"op": "remove", "path": "/properties/a"},
        {"op": "copy", "from": "/properties/list", "path": "/properties/copy"},
        {"op": "move", "from": "/properties/copy", "path": "/properties/moved"},
    ]  # fmt: skip
    assert sta.patch(f"Things('{thing}')", json=operations, headers=kind).status_code == 200
    row = beside.execute(text("select name, properties from sensing.thing where id = :id"), {"id": thing}).one()
    assert tuple(row) == ("Mới", {"list": [1, 9, 2], "moved": [1, 9, 2]})
    for wrong, status in (
        ([{"op": "test", "path": "/name", "value": "x"}], 409), ([{"op": "remove", "path": "/nothing"}], 400),
        ([{"op": "cut", "path": "/name"}], 400), ({}, 400), ([{"op": "remove", "path": "/name"}], 400),
    ):  # fmt: skip
        assert sta.patch(f"Things('{thing}')", json=wrong, headers=kind).status_code == status


@pytest.mark.conformance("iot_sensing/1.1/req/create-update-delete/historical-location-auto-creation")
def test_historical_location_auto_creation(sta: TestClient, beside: Connection) -> None:
    """req/create-update-delete/historical-location-auto-creation; the thing on the map follows."""
    thing = post(sta, "Things", make_thing(Locations=[make_location()]))
    assert count(beside, "historical_location", "thing_id = :id", id=thing) == 1
    post(sta, f"Things('{thing}')/Locations", make_location(location=WHARF))
    assert count(beside, "historical_location", "thing_id = :id", id=thing) == 2
    assert count(beside, "thing_location", "thing_id = :id", id=thing) == 1
    place = text("select st_x(geom), st_y(geom) from sensing.thing where id = :id")
    assert tuple(beside.execute(place, {"id": thing}).one()) == (105.79, 10.05)
    third = post(sta, "Locations", make_location(location={"type": "Feature", "geometry": HAU, "properties": {}}))
    assert sta.patch(f"Things('{thing}')", json={"Locations": [{"@iot.id": third}]}).status_code == 200
    assert sta.patch(f"Things('{thing}')", json={"Locations": [{"@iot.id": third}]}).status_code == 200
    assert count(beside, "historical_location", "thing_id = :id", id=thing) == 3
    assert tuple(beside.execute(place, {"id": thing}).one()) == (105.78, 10.03)
    assert sta.patch(f"Locations('{third}')", json={"location": WHARF}).status_code == 200
    beside.rollback()
    assert tuple(beside.execute(place, {"id": thing}).one()) == (105.79, 10.05)


def test_historical_location_manual_creation(sta: TestClient, beside: Connection) -> None:
    """req/create-update-delete/historical-location-manual-creation: the newest says where the thing stands."""
    thing = post(sta, "Things", make_thing(Locations=[make_location()]))
    link, old = {"@iot.id": thing}, post(sta, "Locations", make_location(location=WHARF))
    post(sta, "HistoricalLocations", {"time": "2020-01-01T00:00:00Z", "Thing": link, "Locations": [{"@iot.id": old}]})
    assert count(beside, "thing_location", "thing_id = :id and location_id = :l", id=thing, l=old) == 0
    post(sta, "HistoricalLocations", {"time": "2199-01-01T00:00:00Z", "Thing": link, "Locations": [{"@iot.id": old}]})
    assert count(beside, "thing_location", "thing_id = :id and location_id = :l", id=thing, l=old) == 1
    assert count(beside, "historical_location", "thing_id = :id", id=thing) == 3


@pytest.mark.conformance("iot_sensing/1.1/req/create-update-delete/delete-entity")
def test_delete_entity_takes_what_hangs_on_it(sta: TestClient, beside: Connection) -> None:
    """req/create-update-delete/delete-entity, table 26."""
    thing, stream = make_series(sta)
    post(sta, f"Datastreams('{stream}')/Observations", {"phenomenonTime": AT, "result": 1})
    assert sta.delete(f"Things('{thing}')").status_code == 200
    assert count(beside, "datastream", "id = :id", id=stream) == 0
    assert count(beside, "historical_location", "thing_id = :id", id=thing) == 0
    assert sta.delete(f"Things('{thing}')").status_code == 404
    location = post(sta, "Locations", make_location(Things=[make_thing()]))
    held = text("select thing_id from sensing.thing_location where location_id = :id")
    thing = beside.execute(held, {"id": location}).scalar_one()
    assert sta.delete(f"Locations('{location}')").status_code == 200
    assert count(beside, "historical_location", "thing_id = :id", id=thing) == 0
    assert count(beside, "thing", "id = :id and geom is null", id=thing) == 1
    for name, column in (("Sensors", "sensor_id"), ("ObservedProperties", "observed_property")):
        _, stream = make_series(sta)
        of = beside.execute(
            text(f"select {column} from sensing.datastream where id = :id"), {"id": stream}
        ).scalar_one()
        assert sta.delete(f"{name}('{of}')").status_code == 200
        assert count(beside, "datastream", "id = :id", id=stream) == 0
    _, stream = make_series(sta)
    post(sta, f"Datastreams('{stream}')/Observations", {"phenomenonTime": AT, "result": 1})
    of = beside.execute(
        text("select fid, feature_of_interest_id from sensing.datastream where id = :id"), {"id": stream}
    ).one()
    assert sta.delete(f"FeaturesOfInterest('{of.feature_of_interest_id}')").status_code == 200
    assert count(beside, "reading", "datastream = :fid", fid=of.fid) == 0
    assert count(beside, "observation", "datastream = :fid and withdrawn is not null", fid=of.fid) == 1
    assert count(beside, "latest", "datastream = :fid", fid=of.fid) == 0


def test_addresses_lead_to_their_own(sta: TestClient) -> None:
    """An entity is changed where it is: below another's address it is none."""
    thing, stream = make_series(sta)
    other, _ = make_series(sta)
    assert sta.patch(f"Things('{thing}')/Datastreams('{stream}')", json={"name": "x"}).status_code == 200
    assert sta.patch(f"Things('{other}')/Datastreams('{stream}')", json={"name": "x"}).status_code == 404
    assert sta.patch(f"Datastreams('{stream}')/Thing", json={"name": "Của nó"}).status_code == 200
    assert sta.post(f"Datastreams('{stream}')/Thing", json=make_thing()).status_code == 405
    assert sta.delete(f"Things('{thing}')/name").status_code == 405
    answer = sta.post("MultiDatastreams", json={})
    assert answer.status_code == 404
    assert "MultiDatastreams are not served" in answer.json()["hint"]


def test_bodies_that_cannot_be_read_are_named(sta: TestClient) -> None:
    """Broken JSON, other media types, texts no database takes, places off the earth."""
    answer = sta.post("Things", content=b'{"name": ', headers={"content-type": "application/json"})
    assert (answer.status_code, "not JSON" in answer.json()["detail"]) == (400, True)
    assert sta.post("Things", content=b"name=x").status_code == 400
    assert "NUL" in post(sta, "Things", make_thing(name="a\x00b"), 400)
    assert "has no 'nme'" in post(sta, "Things", {"nme": "x", "description": "y"}, 400)
    assert "JSON object" in post(sta, "Things", [1], 400)
    assert "is no id" in post(sta, "Things", make_thing(**{"@iot.id": True}), 400)
    assert "earth" in post(sta, "Locations", make_location(location={"type": "Point", "coordinates": [500, 1]}), 400)
    assert "GeoJSON" in post(sta, "Locations", make_location(location={"type": "Point"}), 400)
    assert "is a list" in post(sta, "Things", make_thing(Datastreams={} | make_datastream()), 400)
    assert "unitOfMeasurement" in post(
        sta, "Datastreams", make_datastream(Thing=make_thing(), unitOfMeasurement=3), 400
    )
    assert "properties" in post(sta, "Things", make_thing(properties=3), 400)


def test_only_who_may_write_writes(sta_settings: Settings) -> None:
    """Every door of writing is the same door: another machine without the token is turned away."""
    token = {"authorization": "Bearer 0123456789abcdef"}
    secured = sta_settings.model_copy(update={"write_token": SecretStr("0123456789abcdef")})
    csv, json = {"content-type": "text/csv"}, {"content-type": "application/json"}
    doors = [
        ("POST", "/sta/v1.1/Things", json), ("PATCH", "/sta/v1.1/Things('x')", json),
        ("DELETE", "/sta/v1.1/Things('x')", {}),
        ("POST", "/sta/v1.1/Observations", json), ("POST", "/sta/v1.1/Datastreams('x')/Observations", json),
        ("POST", "/sta/v1.1/CreateObservations", json), ("POST", "/sta/v1.1/$batch", json),
        ("POST", "/sensors/observations", csv),
    ]  # fmt: skip
    with TestClient(create_app(sta_settings), ADDRESS, client=("10.1.2.3", 50_000)) as far:
        assert {far.request(door[0], door[1], content=b"{}", headers=door[2]).status_code for door in doors} == {403}
    with TestClient(create_app(secured), ADDRESS, client=("10.1.2.3", 50_000)) as far:
        assert {far.request(door[0], door[1], content=b"{}", headers=door[2]).status_code for door in doors} == {401}
        assert far.post("/sta/v1.1/Things", json=make_thing(), headers=token).status_code == 201


def test_the_newest_readings_show_where_a_thing_stands_now(sta: TestClient) -> None:
    """What is created, moved, read and deleted over SensorThings is so on the map at once."""
    thing, stream = make_series(sta)

    def find() -> tuple[Any, Any] | None:
        """Return place and newest result of the thing in the answer for everything."""
        features = sta.get(f"{ADDRESS}/sensors/latest").json()["features"]
        found = [one for one in features if one["id"] == thing]
        return (
            (found[0]["geometry"]["coordinates"], found[0]["properties"]["datastreams"][0]["result"]) if found else None
        )

    assert find() == (HAU["coordinates"], None)
    made = post(sta, f"Datastreams('{stream}')/Observations", {"phenomenonTime": AT, "result": 1.5})
    assert find() == (HAU["coordinates"], 1.5)
    post(sta, f"Things('{thing}')/Locations", make_location(location=WHARF))
    assert find() == (WHARF["coordinates"], 1.5)
    assert sta.patch(f"Observations('{made}')", json={"result": 2}).status_code == 200
    assert find() == (WHARF["coordinates"], 2)
    assert sta.delete(f"Observations('{made}')").status_code == 200
    assert find() == (WHARF["coordinates"], None)
    assert sta.delete(f"Things('{thing}')").status_code == 200
    assert find() is None
