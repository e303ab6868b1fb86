"""SensorThings 1.1, classes sensing datamodel (req/datamodel) and resource path (req/resource-path), one test each."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.testclient import TestClient

from api.sta.conformance import write_service_root
from api.sta.paths import parse_path, write_address, write_path
from layers.errors import NotFoundError
from layers.store.sensing.entities import ENTITIES
from tests.api.sta_city import DAWN, OWN_FEATURE, ROOT, WITHDRAWN, WRONG, ask, hour, list_ids
from twin.sensors.broker import name_broker, prepare_broker
from twin.settings import Settings

MICROSECONDS = int(DAWN.timestamp() * 1_000_000)
ATTRIBUTES = {
    "Things": {"name", "description", "properties"},
    "Locations": {"name", "description", "encodingType", "location"},
    "HistoricalLocations": {"time"},
    "Datastreams": {"name", "description", "observationType", "unitOfMeasurement", "observedArea", "phenomenonTime"},
    "Sensors": {"name", "description", "encodingType", "metadata", "properties"},
    "ObservedProperties": {"name", "definition", "description"},
    "Observations": {"phenomenonTime", "result", "resultTime", "resultQuality"},
    "FeaturesOfInterest": {"name", "description", "encodingType", "feature"},
}
RELATIONS = {
    "Things": {"Locations", "HistoricalLocations", "Datastreams"},
    "Locations": {"Things", "HistoricalLocations"},
    "HistoricalLocations": {"Thing", "Locations"},
    "Datastreams": {"Thing", "Sensor", "ObservedProperty", "Observations"},
    "Sensors": {"Datastreams"},
    "ObservedProperties": {"Datastreams"},
    "Observations": {"Datastream", "FeatureOfInterest"},
    "FeaturesOfInterest": {"Observations"},
}
FIRST = {
    "Things": "T-1", "Locations": "L-1", "HistoricalLocations": "H-1", "Datastreams": "D-1", "Sensors": "P-1",
    "ObservedProperties": "stage", "FeaturesOfInterest": "F-1",
}  # fmt: skip


def read_first(client: TestClient, name: str) -> dict[str, Any]:
    if name in FIRST:
        return ask(client, f"{name}('{FIRST[name]}')")
    return ask(client, name, top=1)["value"][0]


@pytest.mark.parametrize("name", ENTITIES)
@pytest.mark.conformance("iot_sensing/1.1/req/datamodel")
def test_entity_control_information_common_control_information(sta_reader: TestClient, name: str) -> None:
    found = read_first(sta_reader, name)
    assert isinstance(found["@iot.id"], str)
    assert found["@iot.selfLink"].startswith(f"{ROOT}/{name}('")
    assert sta_reader.get(found["@iot.selfLink"]).json() == found
    links = {key.removesuffix("@iot.navigationLink") for key in found if key.endswith("@iot.navigationLink")}
    assert links == RELATIONS[name]


@pytest.mark.parametrize("name", ENTITIES)
@pytest.mark.conformance("iot_sensing/1.1/req/datamodel")
def test_datamodel_properties(sta_reader: TestClient, name: str) -> None:
    found = read_first(sta_reader, name)
    assert {key for key in found if "@" not in key} == ATTRIBUTES[name]


@pytest.mark.parametrize("name", ENTITIES)
@pytest.mark.conformance("iot_sensing/1.1/req/datamodel")
def test_datamodel_relations(sta_reader: TestClient, name: str) -> None:
    found = read_first(sta_reader, name)
    for relation in RELATIONS[name]:
        answer = sta_reader.get(found[f"{relation}@iot.navigationLink"])
        assert answer.status_code == 200
        assert ("value" in answer.json()) == relation.endswith("s")


@pytest.mark.conformance("iot_sensing/1.1/req/datamodel")
def test_datamodel_datastream_values(sta_reader: TestClient) -> None:
    found = ask(sta_reader, "Datastreams('D-1')")
    assert found["name"] == "Mực nước"
    assert found["unitOfMeasurement"]["symbol"] == "m"
    assert found["observedArea"] == {"type": "Point", "coordinates": [105.78, 10.03]}
    assert found["phenomenonTime"] == "2026-03-01T00:00:00Z/2026-03-02T23:00:00Z"


@pytest.mark.conformance("iot_sensing/1.1/req/datamodel")
def test_datamodel_observation_values(sta_reader: TestClient) -> None:
    first = ask(sta_reader, "Datastreams('D-1')/Observations", top=1)["value"][0]
    assert (first["phenomenonTime"], first["resultTime"]) == ("2026-03-01T00:00:00Z", "2026-03-01T00:01:00Z")
    assert (first["result"], first["resultQuality"]) == (0, 1)
    rain = ask(sta_reader, "Datastreams('D-2')/Observations", top=1)["value"][0]
    assert rain["phenomenonTime"] == "2026-03-01T00:00:00Z/2026-03-01T00:10:00Z"
    assert rain["validTime"] == "2026-03-01T00:00:00Z/2026-03-02T00:00:00Z"
    assert rain["parameters"] == {"bucket": 0}
    assert rain["resultTime"] is None
    states = ask(sta_reader, "Datastreams('D-3')/Observations")["value"]
    assert [each["result"] for each in states] == ["open", "closed", True, {"gate": 2, "by": "hand"}, 7.25]


def test_a_reading_is_shown_as_it_counts_today(sta_reader: TestClient) -> None:
    shown = {each["phenomenonTime"]: each["result"] for each in
             ask(sta_reader, "Datastreams('D-1')/Observations")["value"]}  # fmt: skip
    assert shown[hour(WRONG).strftime("%Y-%m-%dT%H:%M:%SZ")] == 99.0
    assert hour(WITHDRAWN).strftime("%Y-%m-%dT%H:%M:%SZ") not in shown
    assert list(shown.values()).count(None) == 1


def test_service_root_lists_sets_and_what_is_served(sta_reader: TestClient) -> None:
    for address in ("/sta/v1.1", "/sta/v1.1/"):
        root = sta_reader.get(address).json()
        assert {entry["name"]: entry["url"] for entry in root["value"]} == {name: f"{ROOT}/{name}" for name in ENTITIES}
        conformance = root["serverSettings"]["conformance"]
        for name in ("datamodel", "resource-path/resource-path-to-entities", "request-data"):
            assert f"http://www.opengis.net/spec/iot_sensing/1.1/req/{name}" in conformance


def test_service_root_tells_where_mqtt_is(tmp_path: Path) -> None:
    settings = Settings(run_dir=tmp_path)
    nowhere = write_service_root(ROOT, settings)["serverSettings"]
    assert [name for name in nowhere["conformance"] if "mqtt" in name] == []
    broker = prepare_broker(name_broker(settings.state_dir), 23_000)
    private = write_service_root(ROOT, settings)["serverSettings"]
    assert f"mqtt://127.0.0.1:{broker.device_port}" in str(private)
    named = settings.model_copy(update={"mqtt_devices_url": "mqtts://a", "mqtt_subscribers_url": "mqtts://b"})
    told = write_service_root(ROOT, named)["serverSettings"]
    addresses = {name.rsplit("/", 1)[1]: value["endpoints"] for name, value in told.items() if name != "conformance"}
    assert addresses == {"observations-creation": ["mqtts://a"], "receive-updates": ["mqtts://b"]}
    assert set(told) - {"conformance"} <= set(told["conformance"])


@pytest.mark.parametrize("name", ENTITIES)
@pytest.mark.conformance("iot_sensing/1.1/req/resource-path/resource-path-to-entities")
def test_resource_path_to_entity_sets(sta_reader: TestClient, name: str) -> None:
    assert ask(sta_reader, name)["value"]


@pytest.mark.conformance("iot_sensing/1.1/req/resource-path/resource-path-to-entities")
def test_resource_path_to_an_entity_of_a_set(sta_reader: TestClient) -> None:
    assert ask(sta_reader, "Things('T-1')")["name"] == "Trạm Sông Hậu"
    assert ask(sta_reader, "Things(T-1)")["name"] == "Trạm Sông Hậu"
    assert ask(sta_reader, "Things('T 3%2F%C3%A1')")["name"] == "Trống"
    assert ask(sta_reader, "Things('T 3/á')")["@iot.selfLink"] == f"{ROOT}/Things('T%203%2F%C3%A1')"


@pytest.mark.conformance("iot_sensing/1.1/req/resource-path/resource-path-to-entities")
def test_resource_path_to_a_property_of_an_entity(sta_reader: TestClient) -> None:
    assert ask(sta_reader, "Things('T-1')/name") == {"name": "Trạm Sông Hậu"}
    assert ask(sta_reader, "Things('T-1')/properties/owner/name") == {"name": "Sở"}
    assert ask(sta_reader, "Things('T-1')/properties/tags/1") == {"1": "river"}
    assert ask(sta_reader, "Things('T-1')/id") == {"@iot.id": "T-1"}
    assert ask(sta_reader, "Locations('L-1')/location/coordinates")["coordinates"] == [105.78, 10.03]
    assert sta_reader.get("/sta/v1.1/Things('T 3%2F%C3%A1')/properties").status_code == 204


@pytest.mark.conformance("iot_sensing/1.1/req/resource-path/resource-path-to-entities")
def test_resource_path_to_the_value_of_a_property(sta_reader: TestClient) -> None:
    answer = sta_reader.get("/sta/v1.1/Things('T-1')/name/$value")
    assert answer.text == "Trạm Sông Hậu"
    assert answer.headers["content-type"].startswith("text/plain")
    assert sta_reader.get("/sta/v1.1/Things('T-1')/properties/depth/$value").text == "3.5"
    assert sta_reader.get("/sta/v1.1/Things('T-1')/properties/owner/$value").json() == {"name": "Sở"}


@pytest.mark.conformance("iot_sensing/1.1/req/resource-path/resource-path-to-entities")
def test_resource_path_to_a_navigation_property(sta_reader: TestClient) -> None:
    assert list_ids(sta_reader, "Things('T-1')/Datastreams") == ["D-1", "D-3"]
    assert ask(sta_reader, "Datastreams('D-1')/Thing")["@iot.id"] == "T-1"
    assert list_ids(sta_reader, "Locations('L-1')/Things") == ["T-1"]
    assert list_ids(sta_reader, "Things('T-1')/HistoricalLocations") == ["H-1"]
    assert list_ids(sta_reader, "HistoricalLocations('H-1')/Locations") == ["L-1"]
    assert len(list_ids(sta_reader, "FeaturesOfInterest('F-1')/Observations")) == 47


def test_a_reading_has_a_feature_of_its_own_or_that_of_its_series(sta_reader: TestClient) -> None:
    (own,) = ask(sta_reader, "FeaturesOfInterest('F-2')/Observations")["value"]
    assert own["parameters"] == {"bucket": OWN_FEATURE}
    assert ask(sta_reader, f"Observations('{own['@iot.id']}')/FeatureOfInterest")["@iot.id"] == "F-2"
    found = ask(
        sta_reader, "FeaturesOfInterest", expand="Observations($orderby=phenomenonTime desc;$top=1;$count=true)"
    )
    assert [each["Observations@iot.count"] for each in found["value"]] == [47, 1]
    assert found["value"][0]["Observations"][0]["result"] == 23.5
    answer = ask(sta_reader, "Observations", expand="FeatureOfInterest", filter="FeatureOfInterest/id eq 'F-2'")
    assert [each["FeatureOfInterest"]["name"] for each in answer["value"]] == ["vũng"]


@pytest.mark.conformance("iot_sensing/1.1/req/resource-path/resource-path-to-entities")
def test_resource_path_to_an_association_link(sta_reader: TestClient) -> None:
    found = ask(sta_reader, "Things('T-1')/Datastreams/$ref")
    assert found == {"value": [{"@iot.selfLink": f"{ROOT}/Datastreams('{key}')"} for key in ("D-1", "D-3")]}
    assert ask(sta_reader, "Datastreams('D-1')/Thing/$ref") == {"@iot.selfLink": f"{ROOT}/Things('T-1')"}


@pytest.mark.conformance("iot_sensing/1.1/req/resource-path/resource-path-to-entities")
def test_resource_path_nested(sta_reader: TestClient) -> None:
    first = ask(sta_reader, "Datastreams('D-1')/Observations", top=1)["value"][0]
    path = f"Things('T-1')/Datastreams('D-1')/Observations('{first['@iot.id']}')"
    assert ask(sta_reader, path) == first
    assert ask(sta_reader, f"{path}/FeatureOfInterest")["name"] == "sông"
    assert ask(sta_reader, f"{path}/Datastream/Thing/Locations")["value"][0]["@iot.id"] == "L-1"
    assert ask(sta_reader, f"{path}/Datastream/Sensor/properties/maker") == {"maker": "VEGA"}


def test_count_of_a_set_is_a_plain_number(sta_reader: TestClient) -> None:
    assert sta_reader.get("/sta/v1.1/Datastreams('D-1')/Observations/$count").text == "47"
    filtered = sta_reader.get("/sta/v1.1/Things/$count", params={"$filter": "properties/kind eq 'rain'"})
    assert filtered.text == "1"


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("Nothings", "Nothings"),
        ("Things('T-9')", "T-9"),
        ("Things('T-9')/Datastreams", "T-9"),
        ("Things('T-2')/Datastreams('D-1')", "D-1"),
        ("Things('T-2')/Datastreams('D-1')/Observations", "D-1"),
        ("Things/Datastreams", "which of the Things"),
        ("Things('T-1')/nothing", "nothing"),
        ("Things('T-1')/name/inner", "inner"),
        ("Things('T-1')/properties/nothing", "nothing"),
        ("Things('T-1')/properties/tags/9", "9"),
        ("Things('T-1", "Things('T-1"),
        ("Things('T-1')/$value", "$value"),
        ("Things('T-1')/$count", "$count"),
        ("Things('T-1')/name/$ref", "$ref"),
        ("Datastreams('D-1')/Thing('T-1')", "takes no id"),
        ("Datastreams('D-2')/Observations('1')/FeatureOfInterest", "1"),
        ("Observations('0_99999999999999999')", "99999"),
        (f"Observations('99_{MICROSECONDS}')", "99_"),
        ("MultiDatastreams", "MultiDatastreams are not served"),
        ("Things('T-1')/MultiDatastreams", "MultiDatastreams are not served"),
        ("x" * 3000, "3000 characters"),
        ("Datastreams('D-1')" + "/Thing/Datastreams('D-1')" * 12, "25 steps"),
    ],
)
def test_what_is_not_there_is_named(sta_reader: TestClient, path: str, named: str) -> None:
    answer = sta_reader.get(f"/sta/v1.1/{path}")
    assert answer.status_code == 404
    problem = answer.json()
    assert named in problem["message"]
    assert problem["code"] == 404


@pytest.mark.parametrize("path", ["", "/", "/Things('T-1')", "/Things('T-1')/name"])
def test_status_code_of_a_method_that_is_not_possible(sta_reader: TestClient, path: str) -> None:
    answer = sta_reader.request("OPTIONS", f"/sta/v1.1{path}")
    assert answer.status_code == 405
    assert answer.json()["code"] == 405
    assert "OPTIONS" in answer.json()["message"]


@pytest.mark.parametrize("key", ["T-1", "5", "a'b", "a/b", "đê (1)", "x?y#z%", "''", "(", "a;b,c"])
@pytest.mark.parametrize("rest", ["", "/Datastreams", "/Datastreams/$ref"])
def test_an_address_says_what_it_was_written_from(key: str, rest: str) -> None:
    address = write_address(ENTITIES["Things"], key)
    answer = parse_path(unquote(address) + rest)
    assert answer.steps[0].key == key
    assert write_path(answer) == address + rest


def test_a_path_of_nothing_is_refused() -> None:
    with pytest.raises(NotFoundError):
        parse_path("")
