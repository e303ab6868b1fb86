"""A client others wrote (frost-sta-client) does everything with every type of entity on a real server."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import frost_sta_client as fsc  # type: ignore[import-untyped]
import pytest
import requests
from frost_sta_client.model.ext.data_array_document import DataArrayDocument  # type: ignore[import-untyped]
from frost_sta_client.model.ext.data_array_value import DataArrayValue  # type: ignore[import-untyped]
from geojson import Point  # type: ignore[import-untyped]

from tests.commands import TwinProcess, start_twin
from tests.ports import find_port
from twin.settings import Settings

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def service(sta_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The client's service on a server process of its own."""
    assert sta_settings.database_url is not None
    folder = tmp_path_factory.mktemp("client")
    port = find_port()
    settings = {"TWIN_DATABASE_URL": sta_settings.database_url, "TWIN_DATA_DIR": str(folder)}
    log = folder / "server.log"
    server = start_twin("serve", "--port", port, settings={**os.environ, **settings}, log=log)
    try:
        address = f"http://127.0.0.1:{port}/sta/v1.1"
        wait_for(address, server, log)
        yield fsc.SensorThingsService(address)
    finally:
        server.terminate()
        try:
            server.wait(30)
        finally:
            server.kill()


def wait_for(address: str, server: TwinProcess, log: Path) -> None:
    deadline = time.monotonic() + 60.0
    while True:
        assert server.poll() is None and time.monotonic() < deadline, log.read_text()
        try:
            requests.get(address, timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.2)


def make_thing() -> Any:
    place = fsc.Location(
        name="Bến", description="Wharf", encoding_type="application/geo+json", location=Point((105.78, 10.03))
    )
    return fsc.Thing(name="Trạm", description="Station", properties={"owner": "city"}, locations=[place])


def make_datastream(thing: Any = None) -> Any:
    return fsc.Datastream(
        name="Mực nước", description="Stage",
        observation_type="http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        unit_of_measurement=fsc.UnitOfMeasurement(name="metre", symbol="m", definition="ucum:m"),
        thing=thing or make_thing(),
        sensor=fsc.Sensor(name="Radar", description="r", encoding_type="application/pdf", metadata="radar.pdf"),
        observed_property=fsc.ObservedProperty(name="stage", definition="http://example.org/stage", description="d"),
    )  # fmt: skip


def make_feature() -> Any:
    return fsc.FeatureOfInterest(
        name="Sông Hậu", description="River", encoding_type="application/geo+json", feature=Point((105.8, 10.0))
    )


def make_observation(stream: Any = None) -> Any:
    return fsc.Observation(
        phenomenon_time=START.isoformat(), result=1.25, datastream=stream or make_datastream(),
        feature_of_interest=make_feature(),
    )  # fmt: skip


def make_history() -> Any:
    place = fsc.Location(
        name="Cũ", description="x", encoding_type="application/geo+json", location=Point((105.7, 10.1))
    )
    return fsc.HistoricalLocation(time="2020-01-01T00:00:00Z", thing=make_thing(), locations=[place])


KINDS: dict[str, tuple[str, Callable[[], Any]]] = {
    "things": ("name", make_thing),
    "locations": ("name", lambda: make_thing().locations.entities[0]),
    "historical_locations": ("time", make_history),
    "datastreams": ("name", make_datastream),
    "sensors": ("name", lambda: make_datastream().sensor),
    "observed_properties": ("name", lambda: make_datastream().observed_property),
    "features_of_interest": ("name", make_feature),
    "observations": ("result", make_observation),
}
NEW = {"time": "2021-01-01T00:00:00Z", "result": 2.5, "name": "Mới"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_is_created_read_changed_and_deleted(service: Any, kind: str) -> None:
    attribute, make = KINDS[kind]
    dao = getattr(service, kind)()
    entity = make()
    dao.create(entity)
    found = dao.find(entity.id)
    assert found.id == entity.id
    listed = dao.query().filter(f"id eq '{entity.id}'").count().list()
    assert (listed.count, [one.id for one in listed]) == (1, [entity.id])

    dao.patch(entity, [{"op": "replace", "path": f"/{attribute}", "value": NEW[attribute]}])
    changed = getattr(dao.find(entity.id), attribute)
    assert str(changed).replace("+00:00", "Z") == str(NEW[attribute])

    for link in ("datastreams", "locations", "historical_locations", "things", "observations"):
        if hasattr(found, f"_{link}") or hasattr(found, link):
            setattr(found, link, None)
    dao.update(found)
    assert str(getattr(dao.find(entity.id), attribute)) == str(getattr(found, attribute))

    dao.delete(entity)
    with pytest.raises(requests.HTTPError) as caught:
        dao.find(entity.id)
    assert caught.value.response is not None
    assert caught.value.response.status_code == 404


def test_a_tree_is_created_and_walked(service: Any) -> None:
    stream = make_datastream()
    service.create(stream)
    assert stream.id
    read = service.datastreams().query().filter(f"id eq '{stream.id}'").expand("Thing($expand=Locations),Sensor").list()
    thing = read.entities[0].thing
    assert thing.name == "Trạm"
    assert thing.locations.entities[0].location["coordinates"] == [105.78, 10.03]
    assert [one.name for one in thing.get_datastreams().query().list()] == ["Mực nước"]


def test_a_data_array_is_stored_and_read_in_pages(service: Any) -> None:
    stream = make_datastream()
    service.create(stream)
    array = DataArrayValue()
    array.components = {DataArrayValue.Property.PHENOMENON_TIME, DataArrayValue.Property.RESULT}
    array.datastream = stream
    for minute in range(250):
        at = (START + timedelta(minutes=minute)).isoformat()
        array.add_observation(fsc.Observation(phenomenon_time=at, result=minute * 0.5, datastream=stream))
    document = DataArrayDocument()
    document.add_data_array_value(array)
    assert len(service.observations().create(document)) == 250
    of_stream = service.datastreams().find(stream.id).get_observations().query()
    assert [one.result for one in of_stream.orderby("phenomenonTime", "ASC").top(50).list()] == [
        minute * 0.5 for minute in range(250)
    ]


def test_what_is_wrong_is_told(service: Any) -> None:
    with pytest.raises(requests.HTTPError) as caught:
        service.create(fsc.Thing(name="x"))
    assert caught.value.response is not None
    assert "lacks description" in caught.value.response.json()["detail"]


def test_many_devices_at_once_lose_and_repeat_nothing(service: Any) -> None:
    stream = make_datastream()
    service.create(stream)
    address = f"{service.url}/Datastreams('{stream.id}')/Observations"

    def send(device: int) -> list[int]:
        """Send 25 readings, each twice; return what was answered."""
        with requests.Session() as session:
            return [
                session.post(
                    address,
                    json={"phenomenonTime": (START + timedelta(seconds=device * 25 + k)).isoformat(), "result": k},
                    timeout=60,
                ).status_code
                for k in range(25)
                for _ in range(2)
            ]

    with ThreadPoolExecutor(8) as devices:
        assert {status for answers in devices.map(send, range(8)) for status in answers} == {201}
    assert requests.get(f"{address}/$count", timeout=60).text == "200"
