"""Traces and isolations over HTTP: what they find, how it serves as a filter, what is refused."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import networkx as nx
import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from api.app import create_app
from layers.registry import VECTOR_LAYERS
from layers.store.engine import open_engine
from layers.store.features import upsert_features
from tests.api.conftest import ADDRESS
from tests.api.trace_city import make_frames
from twin.commands.trace import trace as type_trace
from twin.networks.results import HOUSEHOLD
from twin.runs import execute
from twin.settings import Settings
from twin.store_traces import forget_traces

Ask = Callable[..., httpx.Response]
ALL_PIPES = {f"P{k}" for k in range(1, 9)}


@pytest.fixture(scope="module")
def settings(make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a server on the small network."""
    folder, url = tmp_path_factory.mktemp("traces"), make_database("traces")
    engine = open_engine(url)
    for layer_id, frame in make_frames().items():
        with engine.begin() as connection:
            upsert_features(connection, VECTOR_LAYERS[layer_id], frame, source_id="test")
    engine.dispose()
    return Settings(database_url=url, data_dir=folder, web_dir=folder / "web", tile_cache_mb=8)


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Engine]:
    """Engine beside the server."""
    opened = open_engine(str(settings.database_url))
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    """HTTP client of the server."""
    with TestClient(
        create_app(settings), ADDRESS, client=("127.0.0.1", 50_000), raise_server_exceptions=False
    ) as opened:
        yield opened


@pytest.fixture(scope="module")
def ask(client: TestClient) -> Ask:
    """Return a function that executes a process."""

    def execute_now(process: str, body: dict[str, Any] | None = None, **inputs: Any) -> httpx.Response:
        asked = {"inputs": {"commodity": "water", **inputs}, **(body or {})}
        return client.post(f"/api/processes/{process}/execution", json=asked)

    return execute_now


def told(answer: httpx.Response) -> dict[str, Any]:
    """Return the summary of an answer."""
    assert answer.status_code == 200, answer.text
    value: dict[str, Any] = answer.json()["summary"]["value"]
    return value


def find(client: TestClient, layer: str, trace_id: str) -> set[str]:
    """Return the items of a layer that a trace found."""
    answer = client.get(f"/api/collections/{layer}/items", params={"filter": f"in_trace('{trace_id}')"})
    assert answer.status_code == 200, answer.text
    return {feature["id"] for feature in answer.json()["features"]}


@pytest.mark.parametrize(
    ("kind", "starts", "pipes"),
    [
        ("upstream", ["water_pipes/P7"], {"P7", "P3", "P2", "P1"}),
        ("downstream", ["water_valves/V7"], {"P7"}),
        ("downstream", ["water_nodes/D"], {"P5", "P8"}),
        ("connected", ["water_nodes/E"], ALL_PIPES),
        ("connected", ["water_nodes/T"], {"P8"}),
        ("subnetwork", ["water_nodes/A"], ALL_PIPES),
        ("subnetwork", ["water_nodes/T"], {"P8"}),
        ("loops", [], {"P3", "P4", "P5", "P6"}),
        ("critical_links", ["water_nodes/A"], {"P1", "P2", "P7"}),
    ],
)
def test_each_kind_finds_its_links(client: TestClient, ask: Ask, kind: str, starts: list[str], pipes: set[str]) -> None:
    found = told(ask("trace", kind=kind, starts=starts))
    assert find(client, "water_pipes", found["id"]) == pipes
    counts = {each["layer"]: each["count"] for each in found["counts"]}
    assert counts["water_pipes"] == len(pipes)
    assert found["unresolved"] == 0


def test_paths_between_two_places(client: TestClient, ask: Ask) -> None:
    shortest = told(ask("trace", kind="shortest_path", starts=["water_nodes/F"], ends=["water_nodes/D"]))
    assert shortest["path_length"] == pytest.approx(300.0)
    assert find(client, "water_pipes", shortest["id"]) in ({"P7", "P3", "P4"}, {"P7", "P6", "P5"})
    every = told(ask("trace", kind="paths_between", starts=["water_nodes/F"], ends=["water_nodes/D"]))
    assert find(client, "water_pipes", every["id"]) == {"P7", "P3", "P4", "P5", "P6"}
    none = told(ask("trace", kind="shortest_path", starts=["water_nodes/A"], ends=["water_nodes/T"]))
    assert (none["path_length"], none["link_count"], none["bounds"]) == (None, 0, None)
    past = told(
        ask("trace", kind="shortest_path", starts=["water_nodes/A"], ends=["water_nodes/T"], through_closed=True)
    )
    assert past["path_length"] == pytest.approx(400.0)
    drawn = told(ask("trace", kind="upstream", starts=["water_nodes/B"], graph=True))
    graph = nx.node_link_graph(drawn["graph"], edges="edges")
    assert sum(length for _, _, length in graph.edges(data="length")) == pytest.approx(200.0)
    assert set(graph) >= {"water_nodes/R", "water_nodes/A", "water_nodes/B"}


def test_barriers_and_filters_are_cql2_by_layer_or_where_the_properties_are(client: TestClient, ask: Ask) -> None:
    start = {"kind": "connected", "starts": ["water_nodes/A"]}
    barred = told(ask("trace", **start, barriers={"water_valves": "id in ('V4', 'V5')"}))
    # B lies behind V3; its pipes are passed up to the valves.
    assert find(client, "water_pipes", barred["id"]) == {"P1", "P2", "P3", "P4"}
    assert barred["barrier_count"] == 2
    assert {"V4", "V5"} <= find(client, "water_valves", barred["id"])
    # 'stuck' is a code of valves and of no other status of this network.
    assert find(client, "water_pipes", told(ask("trace", **start, barriers="status = 'stuck'"))["id"]) == ALL_PIPES
    wide = told(ask("trace", **start, filter="diameter >= 0.2"))
    assert find(client, "water_pipes", wide["id"]) == {"P1", "P2", "P3", "P4"}
    listed = told(ask("trace", **start, barriers=["water_valves: id in ('V4', 'V5')"]))
    assert listed["id"] == barred["id"]
    named = told(ask("trace", **start, filter={"water_pipes": "condition <> 'poor' or condition is null"}))
    assert "P3" not in find(client, "water_pipes", named["id"])


def test_results_add_up(ask: Ask) -> None:
    wanted = ["length", "volume", "customers", "population", "worst(condition)", "mean(water_pipes.diameter)",
              "sum(turns)", "count"]  # fmt: skip
    found = told(ask("trace", kind="upstream", starts=["water_nodes/F"], results=wanted))
    results = {each["function"]: each for each in found["results"]}
    assert results["length"]["value"] == pytest.approx(400.0)
    assert results["volume"]["value"] == pytest.approx(3.141592653589793 / 4 * (200 * 0.09 + 100 * 0.04 + 100 * 0.01))
    assert results["customers"]["value"] == 8
    assert results["population"]["value"] == pytest.approx(8 * HOUSEHOLD)
    assert (results["worst(condition)"]["code"], results["worst(condition)"]["item"]) == ("poor", "water_pipes/P3")
    # Of all parts of the pipes, which their valves split.
    assert results["mean(water_pipes.diameter)"]["unit"] == "m"
    assert results["sum(turns)"]["value"] == sum(20 + k for k in (0, 1, 2, 3, 5, 6))
    assert found["equipment"]["hospitals"] == {"count": 1, "sum": 1.0}
    home = told(ask("trace", kind="connected", starts=["water_nodes/E"], results=["population"]))
    assert home["results"][0]["value"] == pytest.approx(8 + 8 * HOUSEHOLD)


def test_a_place_is_snapped_to_the_nearest_link(client: TestClient, ask: Ask) -> None:
    feature = client.get("/api/collections/water_meters/items/M2").json()
    place = ",".join(f"{part:.7f}" for part in feature["geometry"]["coordinates"])
    found = told(ask("trace", kind="upstream", starts=[place]))
    assert found["starts"][0]["item"] == "water_pipes/P5"
    assert found["starts"][0]["distance"] == pytest.approx(3.0, abs=0.05)
    far = ask("trace", kind="upstream", starts=[place], tolerance=1.0)
    assert far.status_code == 404
    assert "within 1 m" in far.json()["detail"]


def test_a_trace_is_a_filter_wherever_filters_are_read(client: TestClient, ask: Ask) -> None:
    found = told(ask("trace", kind="upstream", starts=["water_nodes/F"]))
    condition = f"in_trace('{found['id']}')"
    total = client.get(
        "/api/collections/water_pipes/aggregate", params={"filter": condition, "measure": "count,length"}
    )
    assert total.json()["total"]["count"] == 4
    both = client.get("/api/collections/water_pipes/items", params={"filter": f"{condition} and diameter > 0.25"})
    assert {each["id"] for each in both.json()["features"]} == {"P1", "P2"}
    assert find(client, "water_meters", found["id"]) == {"M1", "M3"}
    assert find(client, "places", found["id"]) == {"X1"}
    assert find(client, "trees", found["id"]) == set()
    file = client.get("/api/collections/water_pipes/items", params={"filter": condition, "f": "csv"})
    assert len(file.text.strip().splitlines()) == 5
    for link in found["links"]:
        assert client.get(link["href"].format(z=16, x=52028, y=30939)).status_code in (200, 204), link
    gone = client.get("/api/collections/water_pipes/items", params={"filter": "in_trace('0000')"})
    assert gone.status_code == 400
    assert "there is no trace" in gone.json()["detail"]
    assert client.get("/api/collections/water_pipes/items?filter=in_trace(3)").status_code == 400


def test_the_same_question_of_the_same_network_has_the_same_id(client: TestClient, ask: Ask, engine: Engine) -> None:
    first, again = (told(ask("trace", kind="upstream", starts=["water_pipes/P6"])) for _ in range(2))
    assert first["id"] == again["id"]
    assert told(ask("trace", kind="upstream", starts=["water_pipes/P4"]))["id"] != first["id"]
    kept = client.get(f"/api/traces/{first['id']}").json()
    assert kept["inputs"]["starts"] == ["water_pipes/P6"]
    assert kept["figures"]["length"] == first["length"]
    links = client.get(f"/api/traces/{first['id']}/trace_links")
    assert links.headers["content-type"] == "application/geo+json"
    assert sum(each["properties"]["length"] for each in links.json()["features"]) == pytest.approx(first["length"])
    place = client.get("/api/collections/water_pipes/items/P1").json()["geometry"]["coordinates"][0]
    shown = [each["geometry"]["coordinates"] for each in links.json()["features"]]
    assert min(abs(x - place[0]) + abs(y - place[1]) for line in shown for x, y in line) < 3e-7
    assert client.get(f"/api/traces/{first['id']}/gold").status_code == 404
    assert client.get("/api/traces/none").status_code == 404
    with engine.begin() as connection:
        upsert_features(connection, VECTOR_LAYERS["water_pipes"], make_frames()["water_pipes"].assign(note="đã xem"),
                        source_id="test")  # fmt: skip
    fresh = told(ask("trace", kind="upstream", starts=["water_pipes/P6"]))
    assert fresh["stamp"] != first["stamp"]
    assert fresh["id"] != first["id"]
    assert client.get(f"/api/traces/{first['id']}/trace_links").status_code == 409
    # What was found stays a filter.
    assert find(client, "water_pipes", first["id"]) == find(client, "water_pipes", fresh["id"])


def test_isolation_passes_what_is_stuck_and_tells_who_is_without_water(client: TestClient, ask: Ask) -> None:
    found = told(ask("isolation", starts=["water_pipes/P5"], list_customers=10))
    valves = {
        key: [each["item"].removeprefix("water_valves/") for each in rows] for key, rows in found["valves"].items()
    }
    assert sorted(valves["close"] + valves["close_idle"]) == ["V5", "V6", "V7"]
    assert (sorted(valves["close"]), valves["close_idle"]) == (["V5", "V6"], ["V7"])
    assert (valves["already_closed"], valves["stuck"]) == (["V9"], ["V8"])
    assert [each["order"] for each in found["valves"]["close"]] == [1, 2]
    assert found["valves"]["close"][0]["turns"] in (24, 25)
    assert found["valves"]["close"][0]["street"] == "Đường Thử"
    assert (found["without_water"]["customers"], found["behind"]["customers"]) == (7, 5)
    assert found["without_water"]["population"] == round(8 + 5 * HOUSEHOLD)
    assert found["named"]["hospitals"][0]["name"] == "Bệnh viện Thử"
    assert found["named"]["hydrants"][0]["item"] == "hydrants/H1"
    assert {each["address"] for each in found["customers"]} == {"2 Đường Thử", "3 Đường Thử"}
    assert find(client, "water_meters", found["id"]) == {"M2", "M3"}
    # With V8 working again only the far side of the loop is closed off, and nobody else is without water.
    assert found["feeds"] == []
    more = told(ask("isolation", starts=["water_pipes/P5"], stuck=["V6"], closed=["water_valves/V7"]))
    assert {each["item"] for each in more["valves"]["stuck"]} == {"water_valves/V8", "water_valves/V6"}
    assert {each["item"] for each in more["valves"]["already_closed"]} == {"water_valves/V9", "water_valves/V7"}


def test_isolation_names_the_valve_that_feeds_who_is_cut_off(ask: Ask) -> None:
    found = told(ask("isolation", starts=["water_pipes/P2"]))
    assert [each["item"] for each in found["valves"]["close"]] == ["water_valves/V2"]
    assert [each["item"] for each in found["valves"]["close_idle"]] == ["water_valves/V3"]
    assert (found["isolated"]["customers"], found["behind"]["customers"]) == (3, 7)
    (feed,) = found["feeds"]
    assert (feed["item"], feed["restores"]["customers"]) == ("water_valves/V9", 7)
    assert (found["starts"][0]["length"], found["starts"][0]["parts"]) == (90.0, 3)
    whole = told(ask("isolation", starts=["water_pipes/P2"], whole_pipe=True))
    valves = {each["item"] for key in ("close", "close_idle") for each in whole["valves"][key]}
    assert valves == {"water_valves/V1", "water_valves/V4", "water_valves/V5"}


def test_outputs_come_as_they_are_asked_for(client: TestClient, ask: Ask) -> None:
    body = {"outputs": {"isolation_valves": {"transmissionMode": "value"}, "run": {}}}
    found = ask("isolation", body, starts=["water_pipes/P3"]).json()
    assert set(found) == {"isolation_valves", "run"}
    roles = [each["properties"]["role"] for each in found["isolation_valves"]["value"]["features"]]
    assert roles == ["close", "close"]
    assert found["run"]["value"]["layers"]["water_pipes"] >= 1
    raw = ask("trace", {"outputs": {"trace_links": {}}, "response": "raw"}, kind="upstream", starts=["water_pipes/P1"])
    assert raw.headers["content-type"] == "application/geo+json"
    assert raw.json()["type"] == "FeatureCollection"
    link = ask(
        "trace",
        {"outputs": {"trace_links": {"transmissionMode": "reference"}}, "response": "raw"},
        kind="upstream",
        starts=["water_pipes/P1"],
    )
    assert link.status_code == 204
    path = urlsplit(link.headers["link"].partition("<")[2].partition(">")[0]).path
    assert client.get(path).json()["features"]


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/core")
def test_a_job_is_made_where_one_is_preferred(client: TestClient, engine: Engine, settings: Settings) -> None:
    described = client.get("/api/processes/trace").json()
    assert described["jobControlOptions"] == ["sync-execute", "async-execute", "dismiss"]
    assert client.get("/api/processes/flood-forecast").json()["jobControlOptions"] == ["async-execute", "dismiss"]
    body = {"inputs": {"commodity": "water", "kind": "upstream", "starts": ["water_pipes/P7"]}}
    path = "/api/processes/trace/execution"
    asked = client.post(path, json=body, headers={"prefer": "respond-async"})
    assert (asked.status_code, asked.headers["preference-applied"]) == (201, "respond-async")
    assert client.post(path, json={**body, "mode": "async"}).status_code == 201
    assert client.post(path, json={**body, "mode": "sync"}, headers={"prefer": "respond-async"}).status_code == 200
    run = execute(engine, settings, asked.json()["jobID"])
    assert run.status == "successful"
    results = client.get(f"/api/jobs/{run.id}/results").json()
    links = client.get(results["trace_links"]["href"]).json()
    assert {each["properties"]["item_id"] for each in links["features"]} == {"P1", "P2", "P3", "P7"}
    assert find(client, "water_pipes", results["summary"]["value"]["id"]) == {"P1", "P2", "P3", "P7"}
    isolated = client.post(
        "/api/processes/isolation/execution",
        json={"inputs": {"commodity": "water", "starts": ["water_pipes/P5"]}, "mode": "async"},
    )
    run = execute(engine, settings, isolated.json()["jobID"])
    valves = client.get(f"/api/collections/isolation_valves/items?run_id={run.id}").json()["features"]
    roles = {each["properties"]["item_id"]: each["properties"]["role"] for each in valves}
    assert roles == {
        "V5": "close", "V6": "close", "V7": "close_idle", "V8": "stuck", "V9": "already_closed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("process", "inputs", "status", "words"),
    [
        ("trace", {"kind": "upstream"}, 400, "needs a start"),
        ("trace", {"kind": "sideways", "starts": ["water_nodes/A"]}, 400, "input 'kind'"),
        ("trace", {"kind": "upstream", "starts": ["somewhere"]}, 400, "neither an item nor a place"),
        ("trace", {"kind": "upstream", "starts": ["water_pipes/none"]}, 404, "has no 'water_pipes/none'"),
        ("trace", {"kind": "upstream", "starts": ["trees/t1"]}, 400, "is not in the network 'water'"),
        ("trace", {"kind": "upstream", "starts": ["0,0"]}, 404, "no link of the network"),
        ("trace", {"kind": "upstream", "starts": ["190,0"]}, 400, "not a longitude and latitude"),
        ("trace", {"kind": "upstream", "starts": ["water_nodes/A"] * 1001}, 400, "starts"),
        ("trace", {"kind": "upstream", "starts": ["water_nodes/A"], "ends": ["water_nodes/B"]}, 400, "takes no ends"),
        ("trace", {"kind": "shortest_path", "starts": ["water_nodes/A"]}, 400, "needs an end"),
        (
            "trace",
            {"kind": "shortest_path", "starts": ["water_nodes/A", "water_nodes/B"], "ends": ["water_nodes/C"]},
            400,
            "names 2 places, expected one",
        ),
        ("trace", {"kind": "loops", "barriers": "colour = 'red'"}, 400, "no layer of the network 'water' has colour"),
        ("trace", {"kind": "loops", "barriers": {"trees": "height > 3"}}, 400, "'barriers': layer 'trees'"),
        ("trace", {"kind": "loops", "filter": {"water_pipes": "colour = 1"}}, 400, "has no property 'colour'"),
        ("trace", {"kind": "loops", "filter": "diameter >"}, 400, "'filter': the filter cannot be read"),
        ("trace", {"kind": "loops", "results": ["avg(diameter)"]}, 400, "result 'avg(diameter)' is not offered"),
        ("trace", {"kind": "loops", "results": ["area"]}, 400, "on which no catchments hang"),
        ("trace", {"kind": "loops", "results": ["sum(street)"]}, 400, "not a number"),
        ("trace", {"kind": "loops", "tolerance": 1e9}, 400, "tolerance"),
        ("trace", {"kind": "loops", "commodity": "gold"}, 400, "commodity"),
        ("trace", {"kind": "loops", "commodity": "sewer"}, 404, "the network 'sewer' is empty"),
        ("trace", {"kind": "loops", "configuration": "none"}, 404, "no configuration is called 'none'"),
        ("isolation", {}, 400, "starts"),
        ("isolation", {"starts": ["water_pipes/P5"], "stuck": ["V99"]}, 404, "has no valve 'V99'"),
        ("isolation", {"starts": ["water_pipes/P5"], "closed": ["water_nodes/A"]}, 400, "is no valve"),
        ("isolation", {"starts": ["water_pipes/P5"], "commodity": "power"}, 400, "power"),
    ],
)
def test_what_cannot_be_answered_is_named(
    ask: Ask, process: str, inputs: dict[str, Any], status: int, words: str
) -> None:
    answer = ask(process, **inputs)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]


def test_a_configuration_is_kept_and_asked_again(client: TestClient, ask: Ask) -> None:
    path = "/api/traces/configurations/vung-cap-a"
    body = {
        "title": {"vi": "Vùng cấp A", "en": "Zone A"},
        "process": "trace",
        "inputs": {"commodity": "water", "kind": "downstream", "results": ["customers"]},
    }
    assert client.put(path, json=body).status_code == 200
    assert client.get(path).json()["inputs"] == body["inputs"]
    assert "vung-cap-a" in [each["id"] for each in client.get("/api/traces/configurations").json()["configurations"]]
    found = told(ask("trace", configuration="vung-cap-a", starts=["water_nodes/C"]))
    assert (found["kind"], found["results"][0]["function"]) == ("downstream", "customers")
    assert ask("isolation", configuration="vung-cap-a", starts=["water_nodes/C"]).status_code == 400
    assert client.put(path, json={**body, "inputs": {"kind": "odd"}}).status_code == 400
    assert client.put("/api/traces/configurations/A b", json=body).status_code == 400
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_traces_nobody_asks_for_are_forgotten(client: TestClient, ask: Ask, engine: Engine) -> None:
    found = told(ask("trace", kind="downstream", starts=["water_nodes/B"]))
    with engine.begin() as connection:
        assert forget_traces(connection, days=30) == 0
        connection.execute(
            text("update network.trace set asked = now() - interval '31 days' where id = :id"), {"id": found["id"]}
        )
        assert forget_traces(connection, days=30) == 1
    assert client.get(f"/api/traces/{found['id']}").status_code == 404


def test_the_command_line_asks_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    monkeypatch.setenv("TWIN_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("TWIN_DATA_DIR", str(settings.data_dir))
    target = tmp_path / "mat-nuoc.geojson"
    type_trace("water", "isolation", starts=["water_pipes/P5"], customers=2, output=target)
    sheet = capsys.readouterr().out
    for words in ("V5", "V8", "Bệnh viện Thử", "2 Đường Thử", "khách hàng · customers", "in_trace('"):
        assert words in sheet, sheet
    assert {each["properties"]["role"] for each in json.loads(target.read_text())["features"]} == {"isolated", "behind"}
    type_trace("water", "upstream", starts=["water_pipes/P7"], barrier=["water_valves: id = 'V4'"], as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert printed["link_count"] > 0
    assert printed["barrier_count"] == 1
    type_trace("water", "upstream", starts=["water_pipes/P7"], result=["volume"])
    assert "volume" in capsys.readouterr().out
    with pytest.raises(Exception, match="does not belong to 'isolation'"):
        type_trace("water", "isolation", starts=["water_pipes/P5"], result=["length"])
