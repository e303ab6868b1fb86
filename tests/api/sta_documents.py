"""Entities of SensorThings as a client sends them, for the tests of writing."""

from typing import Any

from sqlalchemy import Connection, text
from starlette.testclient import TestClient

HAU = {"type": "Point", "coordinates": [105.78, 10.03]}
WHARF = {"type": "Point", "coordinates": [105.79, 10.05]}
UNIT = {"name": "metre", "symbol": "m", "definition": "http://unitsofmeasure.org/ucum.html#para-30"}
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
AT = "2026-11-01T00:00:00Z"


def make_location(**more: Any) -> dict[str, Any]:
    return {"name": "Bến", "description": "Wharf", "encodingType": "application/geo+json", "location": HAU, **more}


def make_thing(**more: Any) -> dict[str, Any]:
    return {"name": "Trạm", "description": "Station", **more}


def make_sensor(**more: Any) -> dict[str, Any]:
    return {"name": "Radar", "description": "r", "encodingType": "application/pdf", "metadata": "radar.pdf", **more}


def make_property(**more: Any) -> dict[str, Any]:
    return {"name": "stage", "definition": "http://example.org/stage", "description": "level", **more}


def make_datastream(**more: Any) -> dict[str, Any]:
    return {
        "name": "Mực nước", "description": "Stage", "observationType": MEASUREMENT, "unitOfMeasurement": UNIT,
        "Sensor": make_sensor(), "ObservedProperty": make_property(), **more,
    }  # fmt: skip


def post(sta: TestClient, path: str, document: Any, status: int = 201) -> str:
    """Create an entity and return its id."""
    answer = sta.post(path, json=document)
    assert answer.status_code == status, answer.text
    if status != 201:
        return str(answer.json()["detail"])
    assert answer.headers["location"] == answer.json()["@iot.selfLink"]
    return str(answer.json()["@iot.id"])


def make_series(sta: TestClient) -> tuple[str, str]:
    """Create a thing at a place with a series; return the ids of both."""
    thing = post(sta, "Things", make_thing(Locations=[make_location()]))
    return thing, post(sta, f"Things('{thing}')/Datastreams", make_datastream())


def count(beside: Connection, table: str, condition: str = "true", **values: Any) -> int:
    """Return how many rows of a table of schema sensing meet a condition now."""
    beside.rollback()
    return int(beside.execute(text(f"select count(*) from sensing.{table} where {condition}"), values).scalar_one())
