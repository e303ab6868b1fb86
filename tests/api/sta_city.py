"""A small world of sensors to ask about: every kind of entity, of result and of time, straight in the store."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from layers.store.sensing.writing import correct_observation, store_observations

DAWN = datetime(2026, 3, 1, tzinfo=UTC)
ROOT = "http://127.0.0.1:8000/sta/v1.1"
LEVELS = 48
WRONG, WITHDRAWN, MISSING = 5, 6, 7
"""Hours whose reading was corrected, withdrawn, never came."""
OWN_FEATURE = 4
"""The reading of rain that was taken elsewhere."""

_THINGS = [
    ("T-1", "Trạm Sông Hậu", "gauge", {"kind": "stage", "depth": 3.5, "tags": ["tide", "river"], "active": True,
                                       "owner": {"name": "Sở"}, "since": "2020-01-01T00:00:00Z"}),
    ("T-2", "Rain's gauge", "  padded ", {"kind": "rain", "depth": 1}),
    ("T 3/á", "Trống", "", None),
]  # fmt: skip
_PLACES = [
    ("L-1", "bến", "POINT (105.78 10.03)", "T-1"),
    ("L-2", "vườn", "POINT (105.8 10.05)", "T-2"),
    ("L-3", "khu", "POLYGON ((105.7 10, 105.75 10, 105.75 10.05, 105.7 10.05, 105.7 10))", "T 3/á"),
    ("L-4", "kênh", "LINESTRING (105.7 10, 105.75 10)", None),
]
_SERIES = [
    ("D-1", "T-1", "stage", "m", "Mực nước", "F-1"),
    ("D-2", "T-2", "rain", "mm", "Mưa", None),
    ("D-3", "T-1", "state", "1", "Cửa cống", None),
]


def fill_sta(connection: Connection) -> None:
    """Write the world."""
    for key, name, description, properties in _THINGS:
        _run(connection, "insert into sensing.thing (id, name, description, properties) "
             "values (:id, :name, :description, cast(:properties as jsonb))",
             id=key, name=name, description=description, properties=_dump(properties))  # fmt: skip
    for key, name, shape, thing in _PLACES:
        _run(connection, "insert into sensing.location (id, name, description, location, geom) "
             "select :id, :name, 'nơi', st_asgeojson(g)::jsonb, g from st_geomfromtext(:shape, 4326) g",
             id=key, name=name, shape=shape)  # fmt: skip
        if thing:
            _run(connection, "insert into sensing.thing_location values (:thing, :id)", thing=thing, id=key)
    _run(connection, "insert into sensing.historical_location (id, thing_id, time) values ('H-1', 'T-1', :at)", at=DAWN)
    _run(connection, "insert into sensing.historical_location_location values ('H-1', 'L-1')")
    _run(connection, "insert into sensing.sensor (id, name, description, metadata, properties) "
         "values ('P-1', 'radar', 'đo', '\"manual.pdf\"', '{\"maker\": \"VEGA\"}')")  # fmt: skip
    for key in ("stage", "rain", "state"):
        _run(connection, "insert into sensing.observed_property (id, name, definition) "
             "values (:id, :id, 'http://example.org/' || :id) on conflict do nothing", id=key)  # fmt: skip
    _run(connection, "insert into sensing.feature_of_interest (id, name, feature, geom) select 'F-1', 'sông', "
         "st_asgeojson(g)::jsonb, g from st_geomfromtext('POINT (105.78 10.03)', 4326) g")  # fmt: skip
    _run(connection, "insert into sensing.feature_of_interest (id, name, feature, geom) select 'F-2', 'vũng', "
         "st_asgeojson(g)::jsonb, g from st_geomfromtext('POINT (105.9 10.1)', 4326) g")  # fmt: skip
    for key, thing, quantity, unit, title, feature in _SERIES:
        _run(connection, "insert into sensing.datastream (id, thing_id, sensor_id, observed_property, unit, title_vi, "
             "source_id, feature_of_interest_id, observed_area) values (:id, :thing, 'P-1', :quantity, :unit, :title, "
             "'x', :feature, case when :id = 'D-1' then st_geomfromtext('POINT (105.78 10.03)', 4326) end)",
             id=key, thing=thing, quantity=quantity, unit=unit, title=title, feature=feature)  # fmt: skip
    store_observations(connection, _list_readings(), author="test")
    correct_observation(connection, "D-1", hour(WRONG), 99.0, author="test", reason="the float stuck")
    _run(connection, "update sensing.observation o set withdrawn = now() from sensing.datastream d "
         "where d.fid = o.datastream and d.id = 'D-1' and o.phenomenon_time = :at", at=hour(WITHDRAWN))  # fmt: skip


def hour(number: int) -> datetime:
    """Return the time of a level."""
    return DAWN + timedelta(hours=number)


def _list_readings() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"datastream_id": "D-1", "phenomenon_time": hour(k), "result": None if k == MISSING else k * 0.5,
         "quality": 9 if k == MISSING else 1, "result_time": hour(k) + timedelta(minutes=1)}
        for k in range(LEVELS)
    ]  # fmt: skip
    rows += [
        {"datastream_id": "D-2", "phenomenon_time": DAWN + timedelta(minutes=10 * k), "result": float(k),
         "phenomenon_end": DAWN + timedelta(minutes=10 * k + 10), "valid_start": DAWN, "valid_end": hour(24),
         "parameters": {"bucket": k}, "feature_of_interest_id": "F-2" if k == OWN_FEATURE else None}
        for k in range(10)
    ]  # fmt: skip
    states: list[Any] = ["open", "closed", True, {"gate": 2, "by": "hand"}, 7.25]
    for k, state in enumerate(states):
        row: dict[str, Any] = {"datastream_id": "D-3", "phenomenon_time": hour(k), "result": None}
        row["result" if isinstance(state, float) else "value"] = state
        rows.append(row)
    return rows


def _dump(value: object) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _run(connection: Connection, sql: str, **parameters: object) -> None:
    connection.execute(text(sql), parameters)


def ask(client: TestClient, path: str, **options: object) -> Any:
    """Return the JSON at ``path`` with query options by name (``filter`` for $filter)."""
    named = {("aggregate" if name == "aggregate" else f"${name}"): str(value) for name, value in options.items()}
    answer = client.get(f"/sta/v1.1/{path}", params=named)
    assert answer.status_code == 200, answer.text
    return answer.json()


def list_ids(client: TestClient, path: str, **options: object) -> list[str]:
    """Return the ids of a set, in order."""
    return [entity["@iot.id"] for entity in ask(client, path, **options)["value"]]
