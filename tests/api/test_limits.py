"""Limits as a client meets them: 429 and 503 with when to come back, and nothing of it for this machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from api.limits.askers import name_address
from api.limits.kinds import KINDS, find_kind
from api.limits.lanes import LANES
from tests.api.conftest import ADDRESS, TREE_TILE
from twin.settings import Settings

Ask = Callable[..., httpx2.Response]
TOKEN = "a-token-of-the-tests-0123456789"
TILE = f"/tiles/trees/{TREE_TILE}.mvt"


class From:
    """Lets every request come from the address that stands in a header of the tests."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = {name: value.decode() for name, value in scope["headers"]}
            scope["client"] = (given[b"from"], 50_000)
        await self._app(scope, receive, send)


@contextmanager
def serving(settings: Settings, folder: Path, **changed: object) -> Iterator[Ask]:
    """Run an application with small allowances and give what asks it from an address."""
    app = create_app(settings.model_copy(update={"run_dir": folder, "rate_limit": 1.0, "rate_burst": 20.0, **changed}))
    with TestClient(From(app), ADDRESS, raise_server_exceptions=False) as client:

        def ask(host: str, path: str, **headers: str) -> httpx2.Response:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            return client.get(path, headers={"from": host, **sent})

        yield ask


def test_who_asks_too_much_hears_when_to_come_back(settings: Settings, tmp_path: Path) -> None:
    with serving(settings, tmp_path) as ask:
        first = ask("203.0.113.7", TILE)
        assert first.status_code == 200
        assert first.headers["ratelimit-policy"] == '"asker";q=20;w=20'
        assert first.headers["ratelimit"].startswith('"asker";r=19;t=')
        while (refused := ask("203.0.113.7", "/api/collections")).status_code == 200:
            pass
        assert refused.status_code == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["ratelimit"].startswith('"asker";r=')
        assert refused.headers["cache-control"] == "no-store"
        problem = refused.json()
        assert problem["type"].endswith("#quota-exceeded")
        assert problem["violated-policies"] == ["asker"]
        seen = ask("203.0.113.7", "/healthz", origin="https://x.example").headers["access-control-expose-headers"]
        assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(seen.split(", "))
        assert ask("203.0.113.8", TILE).status_code == 200


def test_health_is_answered_to_who_has_used_up_all(settings: Settings, tmp_path: Path) -> None:
    with serving(settings, tmp_path) as ask:
        while ask("203.0.113.7", "/api/collections").status_code == 200:
            pass
        assert ask("203.0.113.7", "/healthz").status_code == 200
        assert ask("203.0.113.7", "/readyz").status_code in (200, 503)


def test_this_machine_has_no_limit_unless_it_asks_for_others(settings: Settings, tmp_path: Path) -> None:
    with serving(settings, tmp_path) as ask:
        answers = [ask("127.0.0.1", TILE) for _ in range(30)]
        assert {answer.status_code for answer in answers} == {200}
        assert "ratelimit" not in answers[-1].headers
        assert 429 in {ask("127.0.0.1", TILE, x_forwarded_for="198.51.100.1").status_code for _ in range(60)}


def test_zero_is_no_limit(settings: Settings, tmp_path: Path) -> None:
    with serving(settings, tmp_path, rate_limit=0.0) as ask:
        assert {ask("203.0.113.7", TILE).status_code for _ in range(30)} == {200}
    assert not (tmp_path / "limits.bin").exists()


def test_a_key_has_its_own_allowance_and_wrong_ones_run_out(settings: Settings, tmp_path: Path) -> None:
    with serving(settings, tmp_path, write_token=SecretStr(TOKEN), rate_limit=0.1, rate_burst=110.0) as ask:
        while ask("203.0.113.7", "/api/collections").status_code == 200:
            pass
        right = f"Bearer {TOKEN}"
        assert ask("203.0.113.7", TILE, authorization=right).status_code == 200
        assert ask("203.0.113.7", TILE, authorization=right).headers["ratelimit"].startswith('"asker";r=108;')
        wrong = [ask("203.0.113.7", TILE, authorization="Bearer nonsense").status_code for _ in range(4)]
        assert wrong == [401, 401, 429, 429]
        assert ask("203.0.113.8", TILE, authorization="Bearer nonsense").status_code == 401


@pytest.mark.parametrize(
    ("host", "headers", "name"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("::ffff:203.0.113.7", [], "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::", [], "2001:db8:1:2::"),
        ("127.0.0.1", [], None),
        ("::1", [], None),
        ("::ffff:127.0.0.1", [], None),
        ("127.0.0.1", [(b"x-forwarded-for", b"1.2.3.4")], "127.0.0.1"),
        ("127.0.0.1", [(b"forwarded", b"for=1.2.3.4")], "127.0.0.1"),
        ("", [], None),
        ("unknown", [(b"x-forwarded-for", b"unknown")], "unknown"),
    ],
)
def test_who_asks_is_named_by_the_network(host: str, headers: list[tuple[bytes, bytes]], name: str | None) -> None:
    assert name_address({"type": "http", "client": (host, 1), "headers": headers}) == name


@pytest.mark.parametrize(
    ("method", "path", "lane", "name"),
    [
        ("GET", "/healthz", "control", "health"),
        ("GET", "/alarms", "control", "alarms"),
        ("POST", "/alarms/7/acknowledge", "control", "alarms"),
        ("POST", "/cap/alerts", "control", "alarms"),
        ("GET", "/indicators", "control", "alarms"),
        ("GET", "/auth/me", "control", "alarms"),
        ("POST", "/auth/sign-in", "accounts", "account"),
        ("POST", "/sta/v1.1/Observations", "control", "readings"),
        ("POST", "/sensors/telemetry/senml", "control", "readings"),
        ("GET", "/sensors/events", "streams", "stream of events"),
        ("GET", "/indicators/events", "streams", "stream of events"),
        ("GET", "/tiles/trees,buildings/14/1/2.mvt", "map", "tile"),
        ("GET", "/tiles/raster/x/14/1/2.png", "map", "tile"),
        ("GET", "/api/collections/trees/tiles/WebMercatorQuad/1/2/3", "map", "tile"),
        ("GET", "/api/catalog", "map", "map"),
        ("GET", "/api/styles/light", "map", "map"),
        ("GET", "/", "map", "page of the viewer"),
        ("GET", "/assets/index.js", "map", "page of the viewer"),
        ("GET", "/wms", "pictures", "picture"),
        ("GET", "/api/collections/trees/map", "pictures", "picture"),
        ("GET", "/3d/buildings/tileset.json", "pictures", "picture"),
        ("GET", "/api/collections/trees/items", "features", "features"),
        ("GET", "/api/collections/trees/items?f=json", "features", "features"),
        ("GET", "/api/collections/trees/items?limit=5&f=gpkg", "files", "export"),
        ("GET", "/api/queries/mine/items?f=csv", "files", "export"),
        ("GET", "/api/collections/trees/items/f=csv", "features", "features"),
        ("GET", "/api/search", "features", "search"),
        ("GET", "/api/collections/trees/aggregate", "features", "question"),
        ("PATCH", "/api/collections/trees/items/T-1", "features", "edit"),
        ("POST", "/api/edits/bulk", "files", "bulk"),
        ("POST", "/sensors/observations", "files", "bulk"),
        ("POST", "/api/processes/flood-forecast/execution", "features", "job"),
        ("POST", "/api/processes/route/execution", "answers", "answer"),
        ("GET", "/sta/v1.1/Things", "features", "features"),
    ],
)
def test_every_sort_of_request_has_its_lane(method: str, path: str, lane: str, name: str) -> None:
    address, _, query = path.partition("?")
    kind = find_kind({"type": "http", "method": method, "path": address, "query_string": query.encode(), "headers": []})
    assert (kind.lane, kind.name) == (lane, name)


def test_a_file_may_be_asked_for_by_accept() -> None:
    scope = {"type": "http", "method": "GET", "path": "/api/collections/trees/items", "query_string": b""}
    assert find_kind({**scope, "headers": [(b"accept", b"text/csv")]}).lane == "files"
    assert find_kind({**scope, "headers": [(b"accept", b"application/geo+json")]}).lane == "features"


def test_kinds_and_lanes_belong_together() -> None:
    assert {kind.lane for kind in KINDS} == {lane.name for lane in LANES}
    assert all(kind.cost >= 0.0 for kind in KINDS)
    assert [kind.name for kind in KINDS if kind.cost == 0.0] == ["health"]


def test_a_full_lane_is_a_503_at_once_and_others_are_open(settings: Settings, tmp_path: Path) -> None:
    app = create_app(settings.model_copy(update={"run_dir": tmp_path}))
    with TestClient(app, ADDRESS, client=("127.0.0.1", 50_000), raise_server_exceptions=False) as client:
        gate = app.state.resources.gates["files"]
        asked = "/api/collections/trees/items?f=csv"
        assert client.get(asked).status_code == 200
        assert (gate.working, gate.waiting) == (0, 0)
        gate.waiting, gate._free._value = gate.lane.waiting, 0
        refused = client.get(asked)
        assert refused.status_code == 503
        assert refused.json()["type"].endswith("#temporary-reduced-capacity")
        assert 1 <= int(refused.headers["retry-after"]) <= 4
        assert client.get("/alarms").status_code == 200
        assert client.get("/api/collections/trees/items").status_code == 200
        gate.waiting, gate._free._value = 0, gate.lane.at_work
        assert client.get(asked).status_code == 200
