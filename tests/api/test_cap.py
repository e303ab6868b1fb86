"""Warnings over HTTP: issued with the right to write, read by all, never altered, as a feed that clients can poll."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import capvalidator
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from layers.store.engine import open_engine
from layers.store.migrate import migrate
from tests.api.conftest import ADDRESS, CITY
from tests.twin.test_warning_chains import WARDS, fill_wards
from twin.settings import Settings
from twin.store_drafts import insert_draft
from twin.warning.flood import FloodWarning

ATOM = "{http://www.w3.org/2005/Atom}"
TOKEN = "a-token-long-enough"
WRITE = {"authorization": f"Bearer {TOKEN}", "twin-author": "truc ban"}


@pytest.fixture(scope="module")
def warned_url(make_database) -> str:
    url = make_database("cap")
    engine = open_engine(url)
    migrate(engine, "ct", "EPSG:5897", {**CITY, "id": "ct", "synthetic": False})
    fill_wards(engine)
    engine.dispose()
    return url


@pytest.fixture(scope="module")
def cap(warned_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("cap")
    made = Settings(
        database_url=warned_url, data_dir=folder, web_dir=folder, write_token=TOKEN, warning_sender="floods@ct.example"
    )
    with TestClient(create_app(made), ADDRESS, raise_server_exceptions=False) as opened:
        yield opened


def make_warning(level: int = 2, wards=WARDS[:1], **changes) -> dict:
    expires = datetime.now(UTC) + timedelta(hours=6)
    return {
        "level": level, "station": {"id": "S-HAU-01", "name": "Trạm sông Hậu"}, "wards": list(wards),
        "expires": expires.isoformat(), "stage": 1.95, "threshold": 1.9, **changes,
    }  # fmt: skip


def post(cap: TestClient, address: str, body=None, status: int = 201, **headers) -> dict:
    answer = cap.post(address, json=body, headers={**WRITE, **headers})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_warning_is_issued_read_updated_and_ended(cap: TestClient) -> None:
    issued = post(cap, "/cap/alerts", {"warning": make_warning()})
    answer = cap.get(issued["href"])
    assert answer.headers["content-type"] == "application/cap+xml"
    assert capvalidator.check_schema(answer.content).passed
    assert cap.get(issued["href"], headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    again = post(cap, "/cap/alerts", {"warning": make_warning()}, 409)
    assert issued["identifier"] in again["detail"]
    update = post(cap, f"/cap/alerts/{issued['identifier']}/update", {"warning": make_warning(3)})
    assert (update["chain"], update["msgType"], update["severity"]) == (issued["chain"], "Update", "Severe")
    in_force = cap.get("/cap/alerts.json", params={"in_force": True}).json()["alerts"]
    assert [one["identifier"] for one in in_force] == [update["identifier"]]
    assert "reason" in post(cap, f"/cap/alerts/{issued['identifier']}/cancel", None, 400)["detail"]
    ended = post(
        cap, f"/cap/alerts/{issued['identifier']}/cancel", None, **{"twin-reason": "N%C6%B0%E1%BB%9Bc r%C3%BAt"}
    )
    assert "Nước rút" in cap.get(ended["href"]).text
    assert cap.get("/cap/alerts.json", params={"in_force": True}).json()["alerts"] == []
    assert cap.get(issued["href"]).content == answer.content


def test_only_who_may_write_issues_and_sees_drafts(cap: TestClient) -> None:
    for method, address in (
        ("POST", "/cap/alerts"), ("GET", "/cap/drafts"), ("GET", "/cap/outbox"), ("POST", "/cap/drafts/1/discard"),
        ("POST", "/cap/alerts/x/update"), ("POST", "/cap/alerts/x/cancel"),
        ("POST", "/cap/outbox/6f1d2c60-5c1e-4c0e-9a55-111111111111/retry"),
    ):  # fmt: skip
        body = {"warning": make_warning()} if method == "POST" else None
        assert cap.request(method, address, json=body).status_code == 401, address


def test_the_feed_is_atom_newest_first_and_says_when_nothing_changed(cap: TestClient) -> None:
    real = post(cap, "/cap/alerts", {"warning": make_warning(wards=WARDS[1:2])})
    drill = post(cap, "/cap/alerts", {"warning": make_warning(wards=WARDS[1:2], status="Exercise")})
    answer = cap.get("/cap/alerts.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = ET.fromstring(answer.content)
    # RFC 4287, 4.1.1 and 4.1.2: what a feed and an entry must have, once each.
    assert feed.tag == f"{ATOM}feed"
    assert [len(feed.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated")] == [1, 1, 1]
    assert feed.findall(f"{ATOM}author/{ATOM}name")
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:
        assert [len(entry.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated")] == [1, 1, 1]
        assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated")).tzinfo is not None
        link = next(one for one in entry.findall(f"{ATOM}link") if one.get("rel", "alternate") == "alternate")
        assert link.get("type") == "application/cap+xml"
        assert capvalidator.check_schema(cap.get(link.get("href")).content).passed
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids)
    assert [one.rsplit("/", 1)[1] for one in ids[:2]] == [drill["identifier"], real["identifier"]]
    updated = [datetime.fromisoformat(entry.findtext(f"{ATOM}updated")) for entry in entries]
    assert updated == sorted(updated, reverse=True) and feed.findtext(f"{ATOM}updated") == updated[0].isoformat()
    assert entries[0].findtext(f"{ATOM}title").startswith("DIỄN TẬP")
    assert cap.get("/cap/alerts.atom", headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    actual = ET.fromstring(cap.get("/cap/alerts.atom", params={"status": "Actual"}).content)
    assert not any(drill["identifier"] in entry.findtext(f"{ATOM}id") for entry in actual.findall(f"{ATOM}entry"))
    listed = cap.get("/cap/alerts.json", params={"status": "Actual"}).json()["alerts"]
    assert {one["status"] for one in listed} == {"Actual"}


def test_a_draft_is_issued_once_or_discarded(cap: TestClient, warned_url: str) -> None:
    engine = open_engine(warned_url)
    warning = FloodWarning.model_validate_json(
        FloodWarning.model_validate(make_warning(wards=WARDS[2:])).model_dump_json()
    )
    with engine.begin() as connection:
        drafts = [insert_draft(connection, "Alert", warning, origin="person", author="x") for _ in range(2)]
    engine.dispose()
    shown = cap.get("/cap/drafts", headers=WRITE).json()["drafts"]
    assert [one["id"] for one in shown] == [drafts[1].id, drafts[0].id]
    issued = post(cap, "/cap/alerts", {"draft": drafts[0].id})
    assert issued["wards"] == list(WARDS[2:])
    assert "no longer open" in post(cap, "/cap/alerts", {"draft": drafts[0].id}, 409)["detail"]
    assert "already warns" in post(cap, "/cap/alerts", {"draft": drafts[1].id}, 409)["detail"]
    assert post(cap, f"/cap/drafts/{drafts[1].id}/discard", None, 200)["settled_by"] == "truc ban"


def test_what_is_wrong_is_said(cap: TestClient) -> None:
    assert "either" in post(cap, "/cap/alerts", {}, 400)["detail"]
    assert "ward '404'" in post(cap, "/cap/alerts", {"warning": make_warning(wards=["404"])}, 404)["detail"]
    assert "level" in post(cap, "/cap/alerts", {"warning": make_warning(9)}, 400)["detail"]
    for wrong in (
        {"expires": "9999-12-31T23:59:59Z"}, {"at": "0001-01-01T00:00:00Z"}, {"wards": []}, {"wards": ["\x00"]},
        {"expires": "2150-01-01T00:00:00Z"}, {"expires": "2026-01-01T00:00:00"}, {"stage": 1e9}, {"colour": "red"},
        {"station": {"id": "\x00"}}, {"probability": 2}, {"wards": ["1", "1"]},
    ):  # fmt: skip
        post(cap, "/cap/alerts", {"warning": make_warning(**wrong)}, 400)
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert (
        "before it is sent"
        in post(cap, "/cap/alerts", {"warning": make_warning(wards=WARDS[2:], status="Test", expires=past)}, 400)[
            "detail"
        ]
    )
    assert cap.get("/cap/alerts/none.xml").status_code == 404
    assert cap.get("/cap/alerts.json", params={"status": "Draft"}).status_code == 400


def test_a_synthetic_city_warns_of_nothing_real(client: TestClient) -> None:
    answer = client.post("/cap/alerts", json={"warning": make_warning()})
    assert answer.status_code == 409 and "synthetic" in answer.json()["detail"]


def test_a_preview_is_what_would_be_issued_and_writes_nothing(cap: TestClient) -> None:
    own = {"headline": "Nước lên nhanh ở bến Ninh Kiều"}
    warning = make_warning(3, WARDS[2:], status="Exercise", vi=own, contact="Trực ban 0292 000 000")
    seen = cap.post("/cap/preview", json={"warning": warning}).json()
    assert seen["problems"] == []
    assert capvalidator.check_schema(seen["xml"].encode()).passed
    vi, en = seen["infos"]
    assert vi["headline"] == f"DIỄN TẬP – {own['headline']}" and en["headline"].startswith("EXERCISE – Water")
    assert vi["description"].startswith("Đây là tin diễn tập") and vi["contact"] == warning["contact"]
    assert (vi["severity"], len(vi["areas"])) == ("Severe", len(WARDS[2:]))
    assert "DIỄN TẬP" not in seen["words"]["vi"]["headline"], "the usual words, to be changed by a person"
    assert [one["geometry"]["type"] for one in seen["area"]["features"]] == ["MultiPolygon"] * len(WARDS[2:])
    before = cap.get("/cap/alerts.json").json()
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    late = cap.post("/cap/preview", json={"warning": make_warning(status="Test", expires=past)}).json()
    assert late["xml"] is None and [one["member"] for one in late["problems"]] == ["expires"]
    assert cap.get("/cap/alerts.json").json() == before
    issued = post(cap, "/cap/alerts", {"warning": warning})
    told = cap.get(f"/cap/alerts/{issued['identifier']}.json").json()
    assert told["infos"][0]["headline"] == vi["headline"] and told["warning"]["vi"]["headline"] == own["headline"]
    again = cap.post("/cap/preview", json={"warning": warning}).json()
    assert [(one["member"], issued["identifier"] in one["detail"]) for one in again["problems"]] == [("wards", True)]
    follows = {"warning": warning, "msgType": "Update", "chains": [issued["chain"]], "reason": "Nước lên tiếp"}
    update = cap.post("/cap/preview", json=follows).json()
    assert update["problems"] == [] and update["references"] == [issued["identifier"]]
    assert "Nước lên tiếp" in update["infos"][0]["description"]
    post(cap, f"/cap/alerts/{issued['identifier']}/cancel", None, **{"twin-reason": "done"})


def test_a_person_keeps_a_draft_changes_it_and_makes_a_proposal_his_own(cap: TestClient, warned_url: str) -> None:
    kept = post(cap, "/cap/drafts", {"warning": make_warning(1, status="Test")})
    changed = post(cap, f"/cap/drafts/{kept['id']}", None, 405)
    assert changed["status"] == 405
    answer = cap.put(f"/cap/drafts/{kept['id']}", json={"warning": make_warning(2, status="Test")}, headers=WRITE)
    assert (answer.status_code, answer.json()["id"]) == (200, kept["id"])
    assert answer.json()["warning"]["level"] == 2
    engine = open_engine(warned_url)
    proposal = FloodWarning.model_validate_json(FloodWarning.model_validate(make_warning()).model_dump_json())
    with engine.begin() as connection:
        proposed = insert_draft(connection, "Alert", proposal, origin="alarms", author="alarms")
    engine.dispose()
    mine = cap.put(f"/cap/drafts/{proposed.id}", json={"warning": make_warning(3)}, headers=WRITE)
    assert mine.status_code == 201 and (mine.json()["origin"], mine.json()["id"] != proposed.id) == ("person", True)
    gone = cap.put(f"/cap/drafts/{proposed.id}", json={"warning": make_warning(3)}, headers=WRITE)
    assert (gone.status_code, "discarded" in gone.json()["detail"]) == (409, True)
    assert "chains" in post(cap, "/cap/drafts", {"warning": make_warning(), "msgType": "Update"}, 400)["detail"]
    for draft in (kept["id"], mine.json()["id"]):
        post(cap, f"/cap/drafts/{draft}/discard", None, 200)


def test_the_rules_of_sending_say_what_is_refused_before_anybody_tries(cap: TestClient, client: TestClient) -> None:
    rules = cap.get("/cap/policy").json()
    assert [one["refused"] for one in rules["statuses"]] == [None] * 3 and rules["sender"] == "floods@ct.example"
    assert [one["severity"] for one in rules["levels"]] == ["Minor", "Moderate", "Severe", "Extreme"]
    drill = {one["status"]: one["refused"] for one in client.get("/cap/policy").json()["statuses"]}
    assert "synthetic" in drill["Actual"]["detail"] and drill["Exercise"] is None
