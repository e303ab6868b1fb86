"""The WZDx feed over HTTP: what the standard requires is there, and its words are those of the standard."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from layers.editing.apply import apply_edits
from layers.editing.words import Edit
from layers.registry import read_vector_layer

ADDRESS = "/wzdx/v4.2/workzones.geojson"
WORKS = read_vector_layer("road_works")
LINE = {"type": "LineString", "coordinates": [[105.735, 10.02], [105.745, 10.02]]}
# From schemas/4.2 of the standard: RoadEventFeature.json, FeedInfo.json, Direction.json.
CORE = {"event_type", "data_source_id", "direction", "road_names"}
WORK_ZONE = {
    "core_details", "start_date", "end_date", "vehicle_impact", "location_method", "is_start_date_verified",
    "is_end_date_verified", "is_start_position_verified", "is_end_position_verified",
}  # fmt: skip
DETOUR = {"core_details", "start_date", "end_date", "is_start_date_verified", "is_end_date_verified"}
WORDS = {
    "event_type": {"work-zone", "detour"},
    "direction": {
        "northbound", "eastbound", "southbound", "westbound", "undefined", "unknown", "inner-loop", "outer-loop",
    },
    "vehicle_impact": {
        "all-lanes-closed", "some-lanes-closed", "all-lanes-open", "alternating-one-way",
        "some-lanes-closed-merge-left", "some-lanes-closed-merge-right", "all-lanes-open-shift-left",
        "all-lanes-open-shift-right", "some-lanes-closed-split", "flagging", "temporary-traffic-signal", "unknown",
    },
    "location_method": {"channel-device-method", "sign-method", "junction-method", "other", "unknown"},
    "event_status": {"planned", "pending", "active", "completed", "cancelled"},
    "restriction": {"no-trucks", "reduced-width", "reduced-height", "reduced-weight"},
    "unit": {"feet", "inches", "centimeters", "pounds", "tons", "kilograms"},
    "type_name": {
        "maintenance", "minor-road-defect-repair", "roadside-work", "overhead-work", "below-road-work", "barrier-work",
        "surface-work", "painting", "roadway-relocation", "roadway-creation",
    },
}  # fmt: skip


@pytest.fixture
def works(writer: Engine) -> Iterator[None]:
    """An event of every type and impact in the database, gone afterwards."""
    types = [code.value for code in WORKS.find("event_type").codes]  # type: ignore[union-attr]
    impacts = [code.value for code in WORKS.find("vehicle_impact").codes]  # type: ignore[union-attr]
    kinds = [code.value for code in WORKS.find("work_type").codes]  # type: ignore[union-attr]
    later = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    rows: list[dict[str, Any]] = [
        {
            "event_type": types[number % len(types)], "vehicle_impact": impact, "work_type": kinds[number % len(kinds)],
            "affected_direction": ("both", "forward", "backward")[number % 3],
            "planned_end": later if number % 2 else None,
            "max_height": 3.5, "max_weight": 8.0, "lanes_total": 3, "lanes_closed": 1, "reduced_speed_limit": 30.0,
            "location_method": "junction", "no_trucks": True, "event_status": "active",
        }
        for number, impact in enumerate(impacts)
    ]  # fmt: skip
    rows.append({"event_type": "closure", "vehicle_impact": "all_lanes_closed", "planned_end": "2026-01-01T00:00:00Z"})
    names = [f"WZ-{number}" for number in range(len(rows))]
    with writer.begin() as connection:
        edits = [Edit("create", WORKS, name, row, LINE) for name, row in zip(names, rows, strict=True)]
        apply_edits(connection, edits, author="test", reason="test")
    yield
    with writer.begin() as connection:
        apply_edits(connection, [Edit("delete", WORKS, name) for name in names], author="test", reason="test")


def test_the_feed_holds_what_the_standard_requires(client: TestClient, works: None) -> None:
    answer = client.get(ADDRESS)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/geo+json")
    feed = answer.json()
    header = feed["feed_info"]
    assert feed["type"] == "FeatureCollection" and header["version"] == "4.2" and header["publisher"]
    assert datetime.fromisoformat(header["update_date"]).tzinfo is not None
    sources = {one["data_source_id"] for one in header["data_sources"]}
    assert sources and all(one["organization_name"] for one in header["data_sources"])
    ids = [one["id"] for one in feed["features"]]
    # Twelve events, every third of both ways; the one that ended is not in it.
    assert len(ids) == len(set(ids)) == 12 + 4
    for one in feed["features"]:
        given = one["properties"]
        core = given["core_details"]
        required = WORK_ZONE if core["event_type"] == "work-zone" else DETOUR
        assert required <= set(given) and set(core) >= CORE
        assert core["data_source_id"] in sources and core["road_names"] and all(core["road_names"])
        assert core["event_type"] in WORDS["event_type"] and core["direction"] in WORDS["direction"]
        assert given["event_status"] in WORDS["event_status"]
        start, end = (datetime.fromisoformat(given[key]) for key in ("start_date", "end_date"))
        assert start <= end and given["start_date"].endswith("Z")
        assert one["geometry"]["type"] == "LineString" and len(one["geometry"]["coordinates"]) >= 2
        for other in core.get("related_road_events", []):
            assert other["type"] == "related-work-zone" and other["id"] in ids
        if required is WORK_ZONE:
            assert given["vehicle_impact"] in WORDS["vehicle_impact"]
            assert given["location_method"] in WORDS["location_method"]
            assert {work["type_name"] for work in given["types_of_work"]} <= WORDS["type_name"]
            assert [lane["order"] for lane in given["lanes"]] == [1, 2, 3]
            for limit in given["restrictions"]:
                assert limit["type"] in WORDS["restriction"]
                assert "value" not in limit or limit["unit"] in WORDS["unit"]


def test_the_ways_of_an_event_are_drawn_as_their_traffic_runs(client: TestClient, works: None) -> None:
    events = {one["id"]: one for one in client.get(ADDRESS).json()["features"]}
    there, back = events["WZ-0"], events["WZ-0-back"]
    assert there["properties"]["core_details"]["direction"] == "eastbound"
    assert back["properties"]["core_details"]["direction"] == "westbound"
    assert back["geometry"]["coordinates"] == there["geometry"]["coordinates"][::-1]


def test_an_unknown_parameter_is_refused(client: TestClient) -> None:
    assert client.get(ADDRESS, params={"at": "now"}).status_code == 400
