"""What is asked wrongly gets a problem document that names it, and never a 500."""

import string
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.app import create_app
from layers.errors import TwinError
from tests.api.conftest import TREE_TILE
from twin.settings import Settings

ITEMS = "/api/collections/trees/items"

BAD = [
    (f"{ITEMS}?bbox=1,2", 400, "bbox '1,2' has 2 numbers"),
    (f"{ITEMS}?bbox=1,2,3,x", 400, "bbox"),
    (f"{ITEMS}?bbox=", 400, "bbox"),
    (f"{ITEMS}?bbox=nan,nan,nan,nan", 400, "not finite"),
    (f"{ITEMS}?bbox=0,20,1,10", 400, "ascend"),
    (f"{ITEMS}?bbox=0,0,999,1", 400, "longitudes"),
    (f"{ITEMS}?bbox=0,0,1,1&bbox-crs=EPSG:1", 400, "bbox-crs: EPSG:1 does not exist"),
    (f"{ITEMS}?limit=0", 400, "limit '0'"),
    (f"{ITEMS}?limit=-3", 400, "limit '-3'"),
    (f"{ITEMS}?limit=many", 400, "limit 'many'"),
    (f"{ITEMS}?datetime=yesterday", 400, "datetime 'yesterday'"),
    (f"{ITEMS}?datetime=../..", 400, "open at both ends"),
    (f"{ITEMS}?datetime=2026-02-01T00:00:00Z/2026-01-01T00:00:00Z", 400, "ends before"),
    (f"{ITEMS}?datetime=a/b/c", 400, "more than two parts"),
    (f"{ITEMS}?cursor=abc", 400, "cursor 'abc'"),
    (f"{ITEMS}?cursor=%C3%A9", 400, "cursor"),
    (f"{ITEMS}?colour=red", 400, "'colour' is not known and not a property of 'trees'"),
    (f"{ITEMS}?height=tall", 400, "height='tall' is not a number"),
    (f"{ITEMS}?height=nan", 400, "height='nan'"),
    (f"{ITEMS}?height=1&height=2", 400, "'height' is given twice"),
    (f"{ITEMS}?condition=splendid", 400, "not in its code list"),
    (f"{ITEMS}?planted=2020-02-31", 400, "planted='2020-02-31' is not a date"),
    (f"{ITEMS}?species=a%00b", 400, "NUL"),
    ("/api/collections/buildings/items?storeys=99999999999999999999", 400, "storeys"),
    ("/api/collections/road_links/items?is_bridge=perhaps", 400, "is_bridge='perhaps' is not a boolean"),
    (f"{ITEMS}/nobody", 404, "no item 'nobody'"),
    ("/api/collections/dragons", 404, "collection 'dragons'"),
    ("/api/collections/dragons/items", 404, "collection 'dragons'"),
    ("/api/collections/trees/tiles/WorldCRS84Quad", 404, "WorldCRS84Quad"),
    ("/api/catalog?x=1", 400, "parameter 'x'"),
    ("/api/styles/pink", 404, "style 'pink'"),
    ("/api/processes/divination", 404, "process 'divination'"),
    ("/api/jobs/none", 404, "job 'none'"),
    ("/api/jobs?status=odd", 400, "status"),
    ("/api/runs/none", 404, "run 'none'"),
    ("/api/nothing", 404, "/api/nothing"),
    ("/tiles/trees/99/0/0.mvt", 400, "zoom 99"),
    ("/tiles/trees/3/8/0.mvt", 400, "column x 8"),
    ("/tiles/trees/3/0/8.mvt", 400, "row y 8"),
    ("/tiles/trees/3/-1/0.mvt", 400, "column x '-1'"),
    ("/tiles/trees/a/b/c.mvt", 400, "zoom 'a'"),
    ("/tiles/dragons/3/0/0.mvt", 404, "collection 'dragons'"),
    (f"/tiles/{','.join(f'x{number}' for number in range(40))}/3/0/0.mvt", 400, "at most 32"),
    (f"/tiles/trees/{TREE_TILE}.mvt?colour=red", 400, "'colour'"),
    ("/tiles/dragons.json", 404, "dragons"),
    ("/tiles/raster/dragons.json", 404, "dragons"),
    ("/tiles/raster/terrain/99/0/0.png", 400, "zoom 99"),
    ("/tiles/raster/terrain/3/0/0.png?time=2026-01-01T00:00:00Z", 400, "no times"),
    ("/tiles/raster/terrain/point?lon=500&lat=0", 400, "lon"),
    ("/tiles/raster/terrain/point?lon=1", 400, "lat"),
    ("/sensors/latest?since=soon", 400, "since 'soon'"),
    ("/sensors/datastreams/none/observations", 404, "datastream 'none'"),
    ("/sensors/datastreams/S-1.stage/observations?start=2026-11-09&end=2026-11-01", 400, "lies after end"),
    ("/sensors/datastreams/S-1.stage/observations?max_points=1", 400, "max_points"),
]


def assert_problem(answer: object, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text  # type: ignore[attr-defined]
    assert answer.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    problem = answer.json()  # type: ignore[attr-defined]
    assert {"type", "title", "status", "detail"} <= set(problem) <= {"type", "title", "status", "detail", "hint"}
    assert problem["status"] == status
    assert words in problem["detail"]
    assert "Traceback" not in answer.text  # type: ignore[attr-defined]


@pytest.mark.parametrize(("path", "status", "words"), BAD, ids=[path[:60] for path, _, _ in BAD])
def test_bad_input_is_named(client: TestClient, path: str, status: int, words: str) -> None:
    assert_problem(client.get(path), status, words)


def test_a_method_that_is_not_possible_names_those_that_are(client: TestClient) -> None:
    answer = client.post("/api/catalog")
    assert_problem(answer, 405, "POST")
    assert "GET" in answer.headers["allow"]


def test_a_large_body_is_refused(client: TestClient) -> None:
    path = "/api/processes/flood-forecast/execution"
    assert_problem(client.post(path, content=b"x" * 10_000_000), 413, "larger than")

    def stream() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    assert_problem(client.post(path, content=stream()), 413, "larger than")


def test_a_mistake_of_ours_shows_nothing_of_the_inside(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = client.app.state.resources  # type: ignore[attr-defined]
    monkeypatch.setattr(resources, "engines", None)
    answer = client.get("/api/catalog", headers={"origin": "https://elsewhere.example"})
    assert_problem(answer, 500, "server's log")
    assert "engine" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_security_headers_are_on_pages_tiles_and_problems(client: TestClient) -> None:
    for path in ("/", "/api", f"/tiles/trees/{TREE_TILE}.mvt", "/api/nothing"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_other_pages_may_read_but_not_run(client: TestClient) -> None:
    foreign = {"origin": "https://elsewhere.example"}
    assert client.get("/api", headers=foreign).headers["access-control-allow-origin"] == "*"
    asked = {**foreign, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    preflight = client.options("/api/processes/flood-forecast/execution", headers=asked)
    assert preflight.status_code == 400
    plain = client.post(
        "/api/processes/flood-forecast/execution", content="{}", headers={**foreign, "content-type": "text/plain"}
    )
    assert_problem(plain, 400, "content-type")


def test_a_database_that_is_gone_is_a_503(settings: Settings) -> None:
    url = str(settings.database_url).rsplit("/", 1)[0] + "/nowhere"
    changed = settings.model_copy(update={"database_url": url})
    with TestClient(create_app(changed), raise_server_exceptions=False) as lost:
        assert lost.get("/healthz").status_code == 200
        ready = lost.get("/readyz")
        assert ready.status_code == 503
        found = {check["name"]: check["ok"] for check in ready.json()["checks"]}
        assert found["database"] is False
        assert_problem(lost.get("/api/catalog"), 503, "cannot be reached")


def test_a_slow_statement_is_stopped(settings: Settings, database_url: str) -> None:
    hasty = settings.model_copy(update={"statement_timeout": 0.3})
    with TestClient(create_app(hasty), raise_server_exceptions=False) as client, psycopg.connect(database_url) as lock:
        lock.execute("lock table city.places in access exclusive mode")
        assert_problem(client.get("/api/collections/places/items"), 503, "too long")
        lock.rollback()
        assert client.get("/api/collections/places/items").status_code == 200


def test_every_code_of_ours_has_a_status() -> None:
    def walk(kind: type[TwinError]) -> Iterator[type[TwinError]]:
        yield kind
        for below in kind.__subclasses__():
            yield from walk(below)

    assert all(400 <= kind.status < 600 for kind in walk(TwinError))


names = st.sampled_from(
    ["bbox", "bbox-crs", "datetime", "limit", "cursor", "count", "height", "species", "planted", "condition", "x", ""]
)
values = st.one_of(
    st.text(max_size=20),
    st.text(string.digits + ".,-+/eETZ:", max_size=30),
    st.sampled_from(["1e400", "-180,-90,180,90", "9" * 400, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.dictionaries(names, values, max_size=4), path=st.sampled_from([ITEMS, f"/tiles/trees/{TREE_TILE}.mvt"]))
def test_no_query_makes_the_server_fail(client: TestClient, query: dict[str, str], path: str) -> None:
    answer = client.get(path, params=query)
    assert answer.status_code < 500, (query, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(words, min_size=1, max_size=5), start=st.sampled_from(["/api", "/tiles", "/sensors", ITEMS]))
def test_no_path_makes_the_server_fail(client: TestClient, parts: list[str], start: str) -> None:
    assert client.get("/".join([start, *(quote(part, safe="") for part in parts)])).status_code < 500
