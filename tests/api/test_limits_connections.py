"""Connections by lane: each has its own, with its own patience, and who finds none hears so soon."""

import asyncio
import contextlib
from pathlib import Path

from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from api.app import create_app
from api.limits.connections import Engines
from api.limits.lanes import in_lane
from tests.api.conftest import ADDRESS
from twin.settings import Settings

GUARDED = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


def read_settings(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [str(connection.execute(text(f"show {name}")).scalar_one()) for name in GUARDED]


def test_a_statement_may_take_as_long_as_its_lane_allows(settings: Settings, database_url: str) -> None:
    changed = {"statement_timeout": 30.0, "map_timeout": 7.0, "file_timeout": 120.0}
    engines = Engines(database_url, settings.model_copy(update=changed))
    try:
        found = {group: read_settings(engine) for group, engine in engines.by_group.items()}
    finally:
        engines.dispose()
    assert found == {
        "control": ["30s", "5s", "1min"],
        "map": ["7s", "5s", "1min"],
        "features": ["30s", "5s", "1min"],
        "batch": ["2min", "5s", "1min"],
    }


def test_a_request_takes_the_connections_of_its_lane(settings: Settings, database_url: str) -> None:
    engines = Engines(database_url, settings)

    async def look() -> None:
        assert engines.current() is engines.own
        async with in_lane("files"):
            assert engines.current() is engines.by_group["batch"]
        async with in_lane("features"):
            assert engines.current() is engines.by_group["features"]

    asyncio.run(look())
    engines.dispose()


def test_no_free_connection_is_a_503_within_seconds_and_only_in_its_lane(settings: Settings, tmp_path: Path) -> None:
    app = create_app(settings.model_copy(update={"run_dir": tmp_path}))
    with TestClient(app, ADDRESS, client=("127.0.0.1", 50_000), raise_server_exceptions=False) as client:
        features = app.state.resources.engines.by_group["features"]
        with contextlib.ExitStack() as held:
            for _ in range(8):
                held.enter_context(features.connect())
            refused = client.get("/api/search?q=a")
            assert refused.status_code == 503
            assert refused.json()["type"] == "urn:twin:problem:busy"
            assert int(refused.headers["retry-after"]) >= 1
            assert client.get("/alarms").status_code == 200
            assert client.get("/api/catalog").status_code == 200
        assert client.get("/api/search?q=a").status_code == 200
