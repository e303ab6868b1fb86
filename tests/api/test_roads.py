"""Roads over HTTP: an edit is in the next route, a deletion too; nothing is started anew."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from layers.datum import CRS84, make_transformer
from tests.api.conftest import X0, Y0

FAR = 9_000.0
ITEMS = "/api/collections/road_links/items"


@pytest.fixture(autouse=True)
def as_before(writer: Engine) -> Iterator[None]:
    """Leave the roads as they were."""
    yield
    with writer.begin() as connection:
        for schema in ("city", "history"):
            connection.execute(text(f"delete from {schema}.road_links where id like 'far-%'"))


def locate(x: float, y: float) -> list[float]:
    return list(make_transformer("EPSG:5897", CRS84).transform(X0 + FAR + x, Y0 + FAR + y))


def draw(client: TestClient, name: str, *points: tuple[float, float], **says: Any) -> str:
    """Draw a road far from the others and return its address."""
    line = {"type": "LineString", "coordinates": [locate(*point) for point in points]}
    properties = {"road_class": "residential", "name": name, **says}
    made = client.post(ITEMS, json={"type": "Feature", "id": name, "geometry": line, "properties": properties})
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


def ask(client: TestClient, mode: str = "car") -> Any:
    inputs = {"origin": locate(5, 0), "destination": locate(995, 0), "mode": mode}
    body = {"inputs": inputs, "outputs": {"summary": {"transmissionMode": "value"}}}
    return client.post("/api/processes/route/execution", json=body)


def test_an_edit_is_in_the_next_route(client: TestClient) -> None:
    draw(client, "far-west", (0, 0), (100, 0))
    assert ask(client).status_code in (400, 404)
    east = draw(client, "far-east", (100, 0), (1000, 0), oneway="forward", max_speed=30)
    found = ask(client)
    assert found.status_code == 200, found.text
    quick = found.json()["summary"]["value"]["routes"][0]
    # 990 m at 30 km/h, the usual speed of such a street.
    assert quick["length"] == pytest.approx(990.0, abs=2.0) and quick["duration"] == pytest.approx(118.8, rel=0.05)
    headers = {"if-match": client.get(east).headers["etag"], "content-type": "application/merge-patch+json"}
    assert client.patch(east, json={"properties": {"max_speed": 10}}, headers=headers).status_code == 200
    assert ask(client).json()["summary"]["value"]["routes"][0]["duration"] > 1.5 * quick["duration"]
    tag = client.get(east).headers["etag"]
    assert client.delete(east, headers={"if-match": tag}).status_code == 200
    assert ask(client).status_code in (400, 404)
