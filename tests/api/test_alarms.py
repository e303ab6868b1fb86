"""Alarms over HTTP: what stands, what a person does, rules in versions, measures."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import store_observations
from twin.alarms.watch import Watch

RULE = {
    "title": {"vi": "Mực nước rất cao", "en": "Very high stage"},
    "event": "flood",
    "priority": "critical",
    "conditions": [{"kind": "limit", "on": 2.5}],
    "lateness_s": 0,
}
clock = iter(range(1, 10_000))


@pytest.fixture
def rule(client: TestClient, writer: Engine) -> Iterator[str]:
    """A rule and a gauge of the test's own, taken away after it; the series is called like the rule."""
    rule_id = f"very-high-{next(clock)}"
    with writer.begin() as connection:
        upsert_datastreams(connection, [Datastream(rule_id, rule_id, "stage", "m", "Mực nước", "Stage")], "s-sensors")
        place = "st_setsrid(st_makepoint(105.74, 10.02), 4326)"
        connection.execute(text(f"update sensing.thing set kind = 'stage', geom = {place} where id = '{rule_id}'"))
    made = client.post("/alarm-rules", json=define(rule_id))
    assert made.status_code == 201 and made.headers["location"].endswith(f"/alarm-rules/{rule_id}")
    yield rule_id
    client.delete(f"/alarm-rules/{rule_id}")
    with writer.begin() as connection:
        theirs = f"(select fid from sensing.datastream where thing_id = '{rule_id}')"
        connection.execute(text(f"delete from sensing.observation where datastream in {theirs}"))
        connection.execute(text(f"delete from sensing.thing where id = '{rule_id}'"))


def define(rule_id: str, **changes: object) -> dict[str, object]:
    return {**RULE, "id": rule_id, "target": {"series": rule_id.removesuffix("-child")}, **changes}


def measure(writer: Engine, rule: str, value: float) -> None:
    """Store one reading now and let the watch see it."""
    watch = Watch(writer)
    watch.pass_once()
    at = datetime.now(UTC) - timedelta(seconds=20) + timedelta(milliseconds=next(clock))
    with writer.begin() as connection:
        row = {"datastream_id": rule, "phenomenon_time": at.isoformat(), "result": value, "quality": 1}
        store_observations(connection, [row], author="test")
    watch.pass_once()


def find(client: TestClient, rule: str, **query: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get("/alarms", params={"rule": rule, **query}).json()["alarms"]
    return found


def test_the_life_of_an_alarm(client: TestClient, writer: Engine, rule: str) -> None:
    measure(writer, rule, 1.0)
    assert find(client, rule) == []
    (quiet,) = find(client, rule, state="all")
    assert quiet["state"] == "NORMAL"
    measure(writer, rule, 2.6)
    (alarm,) = find(client, rule)
    number = alarm["id"]
    assert (alarm["state"], alarm["value"], alarm["unit"], alarm["priority"]) == ("UNACK", 2.6, "m", "critical")
    assert alarm["title"] == RULE["title"] and alarm["state_title"] == {"vi": "Chưa xác nhận", "en": "Unacknowledged"}
    done = client.post(f"/alarms/{number}/acknowledge", json={}, headers={"twin-author": "Trực ban".encode().hex()})
    assert done.status_code == 200 and done.json()["state"] == "ACK"
    assert client.post(f"/alarms/{number}/acknowledge").status_code == 409
    assert client.post(f"/alarms/{number}/comment", json={"text": "đã gọi trạm"}).status_code == 200
    assert client.post(f"/alarms/{number}/comment", json={"text": ""}).status_code == 400
    assert client.post(f"/alarms/{number}/shelve", json={"minutes": 10}).status_code == 400
    shelved = client.post(f"/alarms/{number}/shelve", json={"minutes": 10, "reason": "bảo trì"}).json()
    assert shelved["state"] == "SHELVED" and shelved["shelved_until"] is not None
    assert find(client, rule) == [] and len(find(client, rule, state="SHELVED,ACK")) == 1
    assert client.post(f"/alarms/{number}/unshelve").json()["state"] == "ACK"
    hidden = client.post(f"/alarms/{number}/suppress", json={"reason": "thử"})
    assert hidden.json()["state"] == "SUPPRESSED"
    assert client.post(f"/alarms/{number}/suppress", json={"suppressed": False}).json()["state"] == "ACK"
    out = client.post(f"/alarms/{number}/service", json={"in_service": False, "reason": "hỏng"})
    assert out.json()["state"] == "OUT-OF-SERVICE"
    assert client.post(f"/alarms/{number}/service", json={"in_service": True}).json()["state"] == "ACK"
    measure(writer, rule, 1.0)
    history = client.get(f"/alarms/{number}").json()
    assert history["state"] == "NORMAL" and history["definition"]["id"] == rule
    (listened,) = history["inputs"]
    assert (listened["source"], listened["late"], listened["waiting"]) == (rule, 0, 0)
    assert [one["kind"] for one in history["events"]] == [
        "clear", "return-to-service", "out-of-service", "unsuppress", "suppress", "unshelve", "shelve", "comment",
        "acknowledge", "raise",
    ]  # fmt: skip
    assert client.get("/alarms/999999").status_code == 404


def test_on_a_map_and_filtered(client: TestClient, writer: Engine, rule: str) -> None:
    measure(writer, rule, 1.0)
    measure(writer, rule, 2.6)
    shown = client.get("/alarms", params={"rule": rule, "f": "geojson", "bbox": "105,9,106,11", "kind": "stage"})
    assert shown.headers["content-type"].startswith("application/geo+json")
    (feature,) = shown.json()["features"]
    assert feature["geometry"]["type"] == "Point" and feature["properties"]["state"] == "UNACK"
    for query, count in (
        ({"priority": "critical"}, 1),
        ({"priority": "low,medium"}, 0),
        ({"event": "flood"}, 1),
        ({"event": "no-data"}, 0),
        ({"kind": "rain"}, 0),
        ({"bbox": "0,0,1,1"}, 0),
        ({"bbox": "170,-10,106,20"}, 1),
        ({"bbox": "106,-10,-170,20"}, 0),
        ({"ward": "31117"}, 0),
    ):
        assert len(find(client, rule, **query)) == count, query
    for wrong in ({"state": "LOUD"}, {"priority": "1"}, {"bbox": "1,2"}, {"f": "xml"}, {"sort": "id"}):
        assert client.get("/alarms", params=wrong).status_code == 400, wrong
    (incident,) = [one for one in client.get("/alarms/incidents").json()["incidents"] if one["priority"] == "critical"]
    assert incident["title"] == RULE["title"] and incident["standing"] >= 1
    (alarm,) = find(client, rule)
    assert alarm["incident"] == incident["id"] and alarm["id"] in incident["ids"]


def test_rules_are_kept_in_versions(client: TestClient, rule: str) -> None:
    assert client.post("/alarm-rules", json=define(rule)).status_code == 409
    changed = client.put(f"/alarm-rules/{rule}", json=define(rule, priority="low"))
    assert changed.json()["version"] == 2 and changed.json()["rule"]["priority"] == "low"
    versions = client.get(f"/alarm-rules/{rule}").json()["versions"]
    assert [(one["version"], one["rule"]["priority"]) for one in versions] == [(2, "low"), (1, "critical")]
    assert versions[1]["valid_to"] == versions[0]["valid_from"]
    named = [one["id"] for one in client.get("/alarm-rules").json()["rules"]]
    assert rule in named and named == sorted(named)
    past = client.get("/alarm-rules", params={"at": "2020-01-01T00:00:00Z"}).json()
    assert past["rules"] == []
    for body, word in (
        (define("other"), "the address says"),
        (define(rule, conditions=[]), "conditions"),
        (define(rule, colour="red"), "colour"),
        (define(rule, valid_from=3), "valid_from"),
        (define(rule, parent=rule), "its own parent"),
        (define(rule, conditions=[{"kind": "limit", "on": 1, "off": 2}]), "off limit 2.0 lies beyond"),
    ):
        answer = client.put(f"/alarm-rules/{rule}", json=body)
        assert answer.status_code == 400 and word in answer.json()["detail"], answer.json()
    assert client.delete(f"/alarm-rules/{rule}").json()["ended_by"] == "local"
    assert client.delete(f"/alarm-rules/{rule}").status_code == 409


def test_rules_that_suppress_each_other_are_refused(client: TestClient, rule: str) -> None:
    child = f"{rule}-child"
    assert client.post("/alarm-rules", json=define(child, parent=rule)).status_code == 201
    circle = client.put(f"/alarm-rules/{rule}", json=define(rule, parent=child))
    assert circle.status_code == 400 and "would suppress itself" in circle.json()["detail"]
    client.delete(f"/alarm-rules/{child}")


def test_statistics_count_what_was_announced(client: TestClient, writer: Engine, rule: str) -> None:
    measure(writer, rule, 1.0)
    before = client.get("/alarms/statistics").json()
    for value in (2.6, 1.0, 2.7):
        measure(writer, rule, value)
    after = client.get("/alarms/statistics").json()
    assert after["announced"] - before["announced"] == 2
    assert after["peak_10_min"] >= 2 and 0.0 < after["per_10_min"] < 2.0
    ours = [one for one in after["most_frequent"] if one["rule"] == rule]
    assert ours[0]["count"] == 2
    assert after["by_priority"]["critical"] >= 2 and after["standing"] >= 1
    backwards = {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}
    assert client.get("/alarms/statistics", params=backwards).status_code == 400


def test_who_may_not_write_reads_no_names(client: TestClient, writer: Engine, rule: str) -> None:
    measure(writer, rule, 1.0)
    measure(writer, rule, 2.6)
    (alarm,) = find(client, rule)
    client.post(f"/alarms/{alarm['id']}/acknowledge", json={"reason": "đã biết"}, headers={"twin-author": "an"})
    elsewhere = {"x-forwarded-for": "203.0.113.5"}
    shown = client.get(f"/alarms/{alarm['id']}", headers=elsewhere).json()
    assert shown["acknowledged_by"] is None
    assert {(one["kind"], one["author"], one["reason"]) for one in shown["events"]} == {
        ("acknowledge", None, None),
        ("raise", "engine", ""),
    }
    assert client.post(f"/alarms/{alarm['id']}/comment", json={"text": "x"}, headers=elsewhere).status_code == 403
    assert client.get(f"/alarms/{alarm['id']}").json()["acknowledged_by"] == "an"
